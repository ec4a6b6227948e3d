# Prints the files that two packages contain: awk -v manager= -v root= -f clashes.awk PLAN FILES.
# FILES has lines of the form `package<TAB>path`.

BEGIN { FS = "\t" }

NR == FNR { version[$1] = $2; asked[$1] = $7; next }

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
