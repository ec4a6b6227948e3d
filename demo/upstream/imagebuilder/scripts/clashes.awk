# Prints the files that two packages contain. Writes lines of the form `package<TAB>path` to OWNED, and the names of the
# packages that have a script of apk to SCRIPTS.
#
# awk -v manager= -v root= -v owned=OWNED -v scripts=SCRIPTS -f clashes.awk PLAN LISTING
#
# LISTING has the members of all packages in the order of PLAN. The member that every package has first ends the one
# before.

BEGIN { FS = "\t" }

NR == FNR { version[$1] = $2; asked[$1] = $7; name[NR] = $1; next }

$0 == (manager == "apk" ? ".PKGINFO" : "./") { at++; next }

{
  sub(/^\.\//, "")
  if (manager == "apk" && $0 == ".post-install") print name[at] > scripts
  if ($0 == "" || $0 ~ /\/$/ || (manager == "apk" && $0 ~ /^\./)) next
  $0 = name[at] "\t" $0
  print > owned
}

!($2 in owner) { owner[$2] = $1; next }

owner[$2] != $1 && !(($1, owner[$2]) in said) {
  said[$1, owner[$2]] = 1
  if (manager == "apk") {
    print "ERROR: " $1 "-" version[$1] ": trying to overwrite " $2 " owned by " owner[$2] "-" version[owner[$2]] "."
    next
  }
  if (!first++) print "Collected errors:"
  print " * check_data_file_clashes: Package " $1 " wants to install file " root "/" $2
  print "\tBut that file is already provided by package  * " owner[$2]
  print " * opkg_install_cmd: Cannot install package " asked[$1] "."
}
