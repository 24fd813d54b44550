/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_name.h"

#include <string.h>

#include "base/alloc.h"
#include "base/random.h"

#define NAME_MAX_BYTES 255
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static const char *const adjectives[] = {
	"able",     "agile",     "airy",     "alert",   "amber",    "ample",    "apt",
	"ardent",   "artful",    "azure",    "balmy",   "blithe",   "bold",     "bonny",
	"brave",    "breezy",    "bright",   "brisk",   "buoyant",  "calm",     "candid",
	"careful",  "cheerful",  "civil",    "clear",   "clever",   "coastal",  "cobalt",
	"cordial",  "cosy",      "crisp",    "curious", "daring",   "dapper",   "deft",
	"devoted",  "diligent",  "dreamy",   "eager",   "earnest",  "easy",     "elated",
	"elegant",  "epic",      "exact",    "fair",    "faithful", "fearless", "fine",
	"firm",     "fluent",    "fond",     "frank",   "free",     "fresh",    "friendly",
	"gallant",  "generous",  "gentle",   "gifted",  "glad",     "gleaming", "golden",
	"graceful", "grand",     "happy",    "hardy",   "hearty",   "honest",   "hopeful",
	"humble",   "inventive", "jaunty",   "jolly",   "jovial",   "joyful",   "keen",
	"kind",     "lively",    "loyal",    "lucid",   "lucky",    "lunar",    "maritime",
	"mellow",   "merry",     "mighty",   "mindful", "modest",   "nautical", "neat",
	"nimble",   "noble",     "northern", "patient", "peaceful", "placid",   "plucky",
	"polite",   "prompt",    "proud",    "quick",   "quiet",    "radiant",  "ready",
	"robust",   "sage",      "serene",   "sharp",   "silent",   "silver",   "sincere",
	"skilful",  "smooth",    "snug",     "sober",   "solar",    "spirited", "spry",
	"stable",   "steady",    "stellar",  "stout",   "sturdy",   "sunny",    "swift",
	"tactful",  "tender",    "thrifty",  "tidal",   "tidy",     "tranquil", "trusty",
	"upbeat",   "upright",   "valiant",  "vibrant", "vivid",    "warm",     "watchful",
	"windward", "wise",      "witty",    "worthy",  "zesty",
};

/* Surnames of people whose work we stand on. */
static const char *const surnames[] = {
	"abel",          "ampere",     "archimedes",  "avicenna",    "babbage",    "backus",
	"banach",        "bartik",     "becquerel",   "bernoulli",   "bohr",       "boltzmann",
	"boole",         "borg",       "bose",        "boyle",       "brahe",      "brahmagupta",
	"cantor",        "carnot",     "carson",      "cauchy",      "cayley",     "cerf",
	"chandrasekhar", "chatelet",   "church",      "clarke",      "codd",       "cook",
	"copernicus",    "cori",       "coulomb",     "crick",       "curie",      "darwin",
	"davinci",       "dedekind",   "descartes",   "dijkstra",    "dirac",      "doppler",
	"dyson",         "edison",     "einstein",    "elion",       "engelbart",  "eratosthenes",
	"erdos",         "euclid",     "euler",       "faraday",     "fermat",     "fermi",
	"feynman",       "fibonacci",  "fourier",     "franklin",    "fresnel",    "galilei",
	"galois",        "gauss",      "germain",     "gibbs",       "godel",      "goldwasser",
	"goodall",       "gosling",    "hamilton",    "hamming",     "hawking",    "heisenberg",
	"henry",         "hermann",    "hertz",       "hilbert",     "hoare",      "hodgkin",
	"hopper",        "hubble",     "humboldt",    "huygens",     "hypatia",    "iverson",
	"jacobi",        "jacquard",   "jang",        "jennings",    "johnson",    "joliot",
	"joule",         "kahn",       "karp",        "kepler",      "kernighan",  "khwarizmi",
	"kilby",         "kirchhoff",  "knuth",       "kolmogorov",  "kovalevsky", "lagrange",
	"lamarr",        "lamport",    "laplace",     "leavitt",     "leibniz",    "lindgren",
	"liskov",        "lovelace",   "lumiere",     "mandelbrot",  "marconi",    "maxwell",
	"mccarthy",      "mcclintock", "meitner",     "mendel",      "mendeleev",  "mercator",
	"milner",        "minsky",     "mirzakhani",  "mobius",      "moore",      "morse",
	"napier",        "nash",       "newton",      "nightingale", "nobel",      "noether",
	"noyce",         "ohm",        "oppenheimer", "panini",      "pascal",     "pasteur",
	"pauli",         "payne",      "perlman",     "pike",        "planck",     "poincare",
	"poisson",       "ptolemy",    "pythagoras",  "ramanujan",   "rayleigh",   "rhodes",
	"riemann",       "ritchie",    "rivest",      "roentgen",    "rosalind",   "rubin",
	"rutherford",    "sagan",      "sanger",      "schrodinger", "shannon",    "sinoussi",
	"snyder",        "somerville", "stallman",    "stokes",      "stroustrup", "sutherland",
	"swirles",       "tesla",      "tharp",       "thompson",    "torvalds",   "turing",
	"varahamihira",  "villani",    "volta",       "wallace",     "watt",       "weierstrass",
	"wiles",         "wing",       "wirth",       "wozniak",     "wright",     "wu",
	"yalow",         "yonath",     "zhukovsky",
};

int container_name_check(const char *name, const char **ret_name, struct error *err)
{
	const char *bare = name[0] == '/' ? name + 1 : name;
	size_t len = strlen(bare);

	if (len < 2 || !strchr(LETTERS, bare[0]) || strspn(bare, LETTERS "_.-") != len)
		return err_set(err, ERR_INVALID, 0,
			       "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are "
			       "allowed",
			       name);
	if (len > NAME_MAX_BYTES)
		return err_set(err, ERR_INVALID, ENAMETOOLONG,
			       "Invalid container name: longer than %d bytes", NAME_MAX_BYTES);
	*ret_name = bare;
	return 0;
}

char *container_name_generate(unsigned int attempt)
{
	const char *adjective = adjectives[random_below(ARRAY_SIZE(adjectives))];
	const char *surname = surnames[random_below(ARRAY_SIZE(surnames))];

	if (attempt < 2)
		return xasprintf("%s_%s", adjective, surname);
	return xasprintf("%s_%s%u", adjective, surname, random_below(10 * attempt));
}
