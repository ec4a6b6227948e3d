"""Makes fuzzed build requests meaningful, and checks what only this server's answers can tell."""

import json
import zlib

import schemathesis

# What the demo upstream publishes; most of the packages exist everywhere.
PLACES = [
    ("24.10.2", "ath79/generic", "8dev_carambola2"),
    ("24.10.2", "x86/64", "generic"),
    ("25.12.0", "ath79/generic", "8dev,carambola2"),
    ("23.05.5", "x86/64", "anything"),
    ("SNAPSHOT", "x86/64", "generic"),
]
PACKAGES = ["vim", "tmux", "luci", "tcpdump", "owut", "auc", "-ppp", "luci-i18n-base-de", "kmod-wireguard", "+libubus"]

PARAMETERS = [
    {"version": "24.10.2", "target": "ath79", "subtarget": "generic", "profile": "8dev_carambola2", "arch": "mips_24kc"},
    {"version": "25.12.0", "target": "x86", "subtarget": "64", "profile": "generic", "arch": "x86_64"},
    {"version": "23.05.5", "target": "mediatek", "subtarget": "filogic", "profile": "openwrt_one", "arch": "aarch64_cortex-a53"},
]

# The place of the second distribution.
OTHER = {"distro": "otherwrt", "version": "24.10.2", "target": "x86", "subtarget": "64", "profile": "generic", "arch": "x86_64"}

# Reasons for which a request that matches the schema may be 422 all the same: no JSON Schema can tell them.
BEYOND_SCHEMA = {"url_parsing", "url_credentials", "url_fragment"}


# What the server has answered so far; later requests ask for it.
known_hashes = []
known_images = []


@schemathesis.hook
def before_call(context, case, kwargs):
    """Of three well-formed requests two ask for what exists: places upstream has, builds and images that were answered before."""
    if not is_positive(case):
        return
    choice = zlib.crc32(json.dumps([case.body, case.path_parameters], sort_keys=True, default=str).encode())
    if choice % 3 == 0:
        return
    if case.path.startswith(("/api/v1/build", "/api/v1/prepare")) and isinstance(case.body, dict):
        case.body = meaningful_request(case.body, choice)
    elif "request_hash" in case.path_parameters and known_hashes:
        case.path_parameters["request_hash"] = known_hashes[choice % len(known_hashes)]
    elif "bin_dir" in case.path_parameters and known_images:
        case.path_parameters.update(known_images[choice % len(known_images)])
    elif "distro" in case.path_parameters:
        case.path_parameters.update({name: OTHER[name] for name in OTHER if name in case.path_parameters})
    elif "arch" in case.path_parameters or "subtarget" in case.path_parameters:
        place = PARAMETERS[choice % len(PARAMETERS)]
        case.path_parameters.update({name: place[name] for name in place if name in case.path_parameters})


@schemathesis.hook
def after_call(context, case, response):
    if case.method == "POST" and case.path == "/api/v1/build" and response.status_code in (200, 202):
        body = response.json()
        known_hashes.append(body["request_hash"])
        if response.status_code == 200:
            known_images.extend({"bin_dir": name, "file": body["images"][0]["name"]} for name in (body["bin_dir"], body["request_hash"]))


def meaningful_request(body, choice):
    version, target, profile = PLACES[choice % len(PLACES)]
    meant = {**body, "distro": "openwrt", "version": version, "version_code": "", "target": target, "profile": profile}
    for name in ("repositories", "repository_keys"):
        meant.pop(name, None)
    if choice & 0x400:
        meant["packages"] = [name for i, name in enumerate(PACKAGES) if choice >> (12 + i) & 1]
        meant.pop("packages_versions", None)
    return meant


@schemathesis.check
def well_formed_is_not_malformed(ctx, response, case):
    """A request that matches the schema is never called malformed."""
    if not is_positive(case) or response.status_code != 422:
        return
    for error in response.json()["errors"]:
        if error.get("code") not in ("package_missing", "version_mismatch") and error.get("type") not in BEYOND_SCHEMA:
            raise AssertionError(f"matches the schema, refused as {error}")


@schemathesis.check
def build_headers_tell_the_state(ctx, response, case):
    """X-Imagebuilder-Status and X-Queue-Position are there exactly when the answer describes a build."""
    describes = "X-Imagebuilder-Status" in response.headers
    if describes != ("X-Queue-Position" in response.headers):
        raise AssertionError("one header of a build without the other")
    if describes and response.status_code not in (200, 202, 500):
        raise AssertionError(f"headers of a build on {response.status_code}")


def is_positive(case):
    return case.meta is not None and case.meta.generation.mode.is_positive
