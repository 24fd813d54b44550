/* SPDX-License-Identifier: Apache-2.0 */
/* oci_features.h - which specification this is */
#ifndef SKIFF_OCI_OCI_FEATURES_H
#define SKIFF_OCI_OCI_FEATURES_H

#define OCI_SPEC_VERSION "1.2.0"
#define OCI_SPEC_VERSION_MIN "1.0.0"

#endif
