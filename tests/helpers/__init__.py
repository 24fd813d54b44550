# SPDX-License-Identifier: Apache-2.0
"""What the integration and security tests share; docs/testing.md explains how to use it."""
