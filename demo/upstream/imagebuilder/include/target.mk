# The variables of this run, from .config, .targetinfo and the command line.

BOARD := $(call qstrip,$(CONFIG_TARGET_BOARD))
SUBTARGET := $(call qstrip,$(CONFIG_TARGET_SUBTARGET))
TARGETID := $(BOARD)/$(SUBTARGET)
ARCH_PACKAGES := $(call qstrip,$(CONFIG_TARGET_ARCH_PACKAGES))
PACKAGE_MANAGER := $(if $(CONFIG_USE_APK),apk,opkg)

BUILD_DIR := $(TOPDIR)/build_dir/target-$(ARCH_PACKAGES)_musl
TARGET_DIR := $(BUILD_DIR)/root-$(BOARD)
KDIR := $(BUILD_DIR)/linux-$(BOARD)_$(SUBTARGET)
KDIR_TMP := $(KDIR)/tmp
ifeq ($(BIN_DIR),)
  override BIN_DIR := $(TOPDIR)/bin/targets/$(BOARD)/$(SUBTARGET)
endif

include $(TOPDIR)/.profiles.mk

# PROFILE may begin with DEVICE_ or not. Without PROFILE, the first profile is used.
PROFILE_ID := $(if $(PROFILE),$(filter $(patsubst DEVICE_%,%,$(PROFILE)),$(PROFILES)),$(firstword $(PROFILES)))
PROFILE_PACKAGES := $(PACKAGES_OF_$(PROFILE_ID))

# The user's packages come first, in their order, then the sorted rest. `-name` removes a package from all three lists.
ASKED_PACKAGES := $(DEFAULT_PACKAGES) $(PROFILE_PACKAGES) $(PACKAGES)
REMOVED_PACKAGES := $(patsubst -%,%,$(filter -%,$(ASKED_PACKAGES)))
USER_PACKAGES := $(filter-out -% $(REMOVED_PACKAGES),$(PACKAGES))
BUILD_PACKAGES := $(USER_PACKAGES) $(filter-out -% $(REMOVED_PACKAGES) $(USER_PACKAGES),$(sort $(DEFAULT_PACKAGES) $(PROFILE_PACKAGES) kernel))

# The order in which OpenWrt makes the file systems.
ROOTFS_FILESYSTEMS := $(if $(CONFIG_TARGET_ROOTFS_SQUASHFS),squashfs) $(if $(CONFIG_TARGET_ROOTFS_EXT4FS),ext4) $(if $(CONFIG_TARGET_ROOTFS_TARGZ),targz)
ROOTFS_FILESYSTEMS := $(strip $(ROOTFS_FILESYSTEMS))
# targz is an archive beside the images, so it is made regardless of the chosen file system.
ifneq ($(HAS_ROOTFS_FILESYSTEM),)
  BUILD_FILESYSTEMS := $(if $(ROOTFS_FILESYSTEM),$(ROOTFS_FILESYSTEM) $(filter targz,$(ROOTFS_FILESYSTEMS)),$(ROOTFS_FILESYSTEMS))
else
  BUILD_FILESYSTEMS := $(ROOTFS_FILESYSTEMS)
endif
PARTSIZE := $(if $(ROOTFS_PARTSIZE),$(ROOTFS_PARTSIZE),$(or $(CONFIG_TARGET_ROOTFS_PARTSIZE),104))

VERSION_NUMBER := $(call qstrip,$(CONFIG_VERSION_NUMBER))
VERSION_REPO := $(call qstrip,$(CONFIG_VERSION_REPO))
# Only the targets that make images need the name, which takes two processes.
ifneq ($(filter build_image json_overview_image_info,$(MAKECMDGOALS)),)
  EXTRA_NAME := $(if $(EXTRA_IMAGE_NAME),$(shell printf '%s' "$(EXTRA_IMAGE_NAME)" | tr '[:upper:] _' '[:lower:]--'))
endif
IMG_PREFIX := openwrt-$(if $(CONFIG_VERSION_FILENAMES),$(VERSION_IN_NAMES)-)$(if $(EXTRA_NAME),$(EXTRA_NAME)-)$(BOARD)-$(SUBTARGET)
SIGNATURE_CHECK := $(CONFIG_SIGNATURE_CHECK)
GRUB_IMAGES := $(CONFIG_GRUB_IMAGES)
GRUB_EFI_IMAGES := $(CONFIG_GRUB_EFI_IMAGES)
BOM := $(CONFIG_JSON_CYCLONEDX_SBOM)

export BOARD SUBTARGET TARGETID ARCH_PACKAGES PACKAGE_MANAGER BUILD_DIR TARGET_DIR KDIR KDIR_TMP BIN_DIR PROFILE_ID DEFAULT_PACKAGES
export PROFILE_PACKAGES BUILD_FILESYSTEMS PARTSIZE VERSION_NUMBER VERSION_REPO IMG_PREFIX SIGNATURE_CHECK GRUB_IMAGES GRUB_EFI_IMAGES BOM
export ADD_LOCAL_KEY DISABLED_SERVICES REVISION SOURCE_DATE_EPOCH LINUX_VERSION LINUX_RELEASE LINUX_VERMAGIC
export OVERLAY_FILES := $(FILES)
