# Decides which packages to install and in which order, by the rules of opkg and apk as far as requests depend on them.
#
#
# awk -v manager=opkg|apk -v world="a b c" -v errors=FILE -f resolve.awk INDEX…
#
# On the command line, base=URL precedes each INDEX (empty for ./packages). Prints one line per package to install:
# name, version, URL, file name, SHA-256, installed size and the requested package that needs it. Problems go to
# `errors`.

function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }

# The first index that offers a name wins; ./packages comes first.
function flush(   i, n, list) {
  if (name == "") return
  if (!(name in version_of)) {
    order[++count] = name
    version_of[name] = version
    depends_of[name] = depends
    conflicts_of[name] = conflicts
    file_of[name] = file
    base_of[name] = from
    sum_of[name] = sum
    size_of[name] = size
    n = split(provides, list, /[ ,]+/)
    for (i = 1; i <= n; i++) {
      sub(/=.*/, "", list[i])
      if (list[i] != "" && !(list[i] in provider)) provider[list[i]] = name
    }
  }
  name = version = depends = conflicts = provides = file = sum = size = ""
}

function candidate(wanted) {
  if (wanted in version_of) return wanted
  if (wanted in provider) return provider[wanted]
  return ""
}

function complain(text) { problems = problems text "\n" }

function chosen(package, asked) {
  state[package] = "done"
  print package, version_of[package], base_of[package], file_of[package], sum_of[package], size_of[package], asked
}

# --- opkg: one requested package after the other; after a failure it reports it and tries the next -------------------

function unresolved(package,   i, n, list, found, dependency) {
  if (seen[package, round]) return 0
  seen[package, round] = 1
  n = split(depends_of[package], list, /,[ ]*/)
  for (i = 1; i <= n; i++) {
    sub(/ .*/, "", list[i])
    if (list[i] == "") continue
    dependency = candidate(list[i])
    if (dependency == "" || unresolved(dependency)) {
      complain(" * pkg_hash_check_unresolved: cannot find dependency " list[i] " for " package)
      found = 1
    }
  }
  if (found) complain(" * pkg_hash_fetch_best_installation_candidate: Packages for " package " found, but incompatible with the architectures configured")
  return found
}

function opkg_install(package, asked,   i, n, list, foes) {
  if (package in state) return state[package] != "failed"
  state[package] = "visiting"
  n = split(depends_of[package], list, /,[ ]*/)
  for (i = 1; i <= n; i++) {
    sub(/ .*/, "", list[i])
    if (list[i] != "" && !opkg_install(candidate(list[i]), asked)) { state[package] = "failed"; return 0 }
  }
  n = split(conflicts_of[package], list, /[ ,]+/)
  for (i = 1; i <= n; i++) if ((list[i] in state) && state[list[i]] == "done") foes = foes " * check_conflicts_for: \t" list[i] " * \n"
  if (foes != "") {
    complain(" * check_conflicts_for: The following packages conflict with " package ":")
    problems = problems foes
    state[package] = "failed"
    return 0
  }
  chosen(package, asked)
  return 1
}

function opkg(   i, package) {
  for (i = 1; i <= asked_count; i++) {
    round = i
    package = candidate(asked_list[i])
    if (package == "" || unresolved(package) || !opkg_install(package, asked_list[i]))
      complain(" * opkg_install_cmd: Cannot install package " asked_list[i] ".")
  }
  if (problems != "") printf "Collected errors:\n%s", problems > errors
}

# --- apk: resolves everything together, then installs in the order of dependency and name ----------------------------

function apk_require(wanted, by,   package, i, n, list) {
  requirers[wanted] = requirers[wanted] " " by "[" wanted "]"
  package = candidate(wanted)
  if (package == "") { if (!(wanted in missing)) { missing[wanted] = 1; missing_list[++missing_count] = wanted } return }
  satisfied[package] = satisfied[package] " " by "[" wanted "]"
  if (package in selected) return
  selected[package] = 1
  n = split(depends_of[package], list, / +/)
  for (i = 1; i <= n; i++) {
    sub(/[<>=~].*/, "", list[i])
    if (list[i] == "") continue
    if (list[i] ~ /^!/) foe[substr(list[i], 2)] = foe[substr(list[i], 2)] " " package "-" version_of[package] "[" list[i] "]"
    else apk_require(list[i], package "-" version_of[package])
  }
}

function wrapped(label, text,   i, n, words, line, out, pad) {
  pad = sprintf("%" length(label) "s", "")
  n = split(trim(text), words, / +/)
  line = label words[1]
  for (i = 2; i <= n; i++) {
    if (length(line) + length(words[i]) + 1 > 80) { out = out line "\n"; line = pad words[i] }
    else line = line " " words[i]
  }
  return out line
}

function apk_install(package, asked,   i, n, list) {
  if (package in state) return
  state[package] = "visiting"
  n = split(depends_of[package], list, / +/)
  for (i = 1; i <= n; i++) {
    sub(/[<>=~].*/, "", list[i])
    if (list[i] != "" && list[i] !~ /^!/) apk_install(candidate(list[i]), asked)
  }
  chosen(package, asked)
}

function sort_names(list, n,   i, j, swap) {
  for (i = 2; i <= n; i++)
    for (j = i; j > 1 && list[j - 1] > list[j]; j--) { swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap }
}

function apk(   i, package, foes, n) {
  for (i = 1; i <= asked_count; i++) apk_require(asked_list[i], "world")
  sort_names(missing_list, missing_count)
  for (i = 1; i <= missing_count; i++) {
    complain("  " missing_list[i] " (no such package):")
    complain(wrapped("    required by: ", requirers[missing_list[i]]))
  }
  for (package in foe) if (package in selected) foes_list[++n] = package
  sort_names(foes_list, n)
  for (i = n; i >= 1; i--) {
    package = foes_list[i]
    complain("  " package "-" version_of[package] ":")
    complain(wrapped("    breaks: ", foe[package]))
    complain(wrapped("    satisfies: ", satisfied[package]))
  }
  if (problems != "") { printf "ERROR: unable to select packages:\n%s", problems > errors; return }
  sort_names(asked_list, asked_count)
  for (i = 1; i <= asked_count; i++) apk_install(candidate(asked_list[i]), asked_list[i])
}

# --- the indexes -----------------------------------------------------------------------------------------------------

BEGIN {
  OFS = "\t"
  asked_count = split(trim(world), asked_list, / +/)
}

FNR == 1 { flush() }

manager == "opkg" {
  if ($1 == "Package:") { name = $2; from = base }
  else if ($1 == "Version:") version = $2
  else if ($1 == "Depends:") depends = substr($0, 10)
  else if ($1 == "Conflicts:") conflicts = substr($0, 12)
  else if ($1 == "Provides:") provides = substr($0, 11)
  else if ($1 == "Filename:") file = $2
  else if ($1 == "SHA256sum:") sum = $2
  else if ($1 == "Installed-Size:") size = $2
  else if ($0 == "") flush()
}

manager == "apk" {
  field = substr($0, 1, 2)
  value = substr($0, 3)
  if (field == "P:") { name = value; from = base }
  else if (field == "V:") version = value
  else if (field == "D:") depends = value
  else if (field == "p:") provides = value
  else if (field == "I:") size = value
  else if (field == "H:") sum = value
  else if (field == "F:") file = value
  else if ($0 == "") flush()
}

END {
  flush()
  if (manager == "apk") apk()
  else opkg()
}
