# Paths and small functions, with the names of OpenWrt's rules.mk.

qstrip = $(strip $(subst ",,$(1)))
SCRIPT_DIR := $(TOPDIR)/scripts
TMP_DIR := $(TOPDIR)/tmp
DL_DIR := $(TOPDIR)/dl
PACKAGE_DIR := $(TOPDIR)/packages
STAGING_DIR_HOST := $(TOPDIR)/staging_dir/host
export SCRIPT_DIR TMP_DIR DL_DIR PACKAGE_DIR STAGING_DIR_HOST
