# Prints the profile list of `make info` from .targetinfo.

function flush() {
  if (id == "") return
  printf "%s:\n", id
  if (name != "") printf "    %s\n", name
  printf "    Packages: %s\n", packages
  printf "    hasImageMetadata: %s\n", metadata
  if (devices != "") printf "    SupportedDevices: %s\n", devices
}

function rest() {
  return substr($0, index($0, ": ") + 2)
}

/^Target-Profile: / {
  flush()
  id = substr($2, 8)
  name = packages = devices = ""
  metadata = 0
}
/^Target-Profile-Name: ./ { name = rest() }
/^Target-Profile-Packages: ./ { packages = rest() }
/^Target-Profile-hasImageMetadata: / { metadata = $2 }
/^Target-Profile-SupportedDevices: ./ { devices = rest() }
END { flush() }
