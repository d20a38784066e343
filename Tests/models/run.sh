#!/bin/sh
# Runs the model of the reference-count protocol under Spin: the protocol must pass, and each rule taken away must be
# caught.  Says so and succeeds where Spin is not installed.  -q: the short runs only.
command -v spin >/dev/null 2>&1 || { echo "models: spin is not installed, skipped"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work" || exit 1
failed=0

# run_model expected-outcome options...
run_model() {
    expected=$1; shift
    rm -f pan pan.* ./*.trail
    spin -a "$@" "$here/refcount.pml" >/dev/null 2>&1 \
        && ${CC:-cc} -O2 -w -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -o pan pan.c || { echo "models: cannot build $*"; failed=1; return; }
    if ./pan -m400000 2>&1 | grep -q "errors: 0"; then outcome=pass; else outcome=error; fi
    if [ $outcome = "$expected" ]; then echo "ok    $expected  $*"; else echo "WRONG $outcome  $*"; failed=1; fi
}

run_model pass -DKA=1 -DKB=2 -DKC=1
run_model error -DBUG_UNPUB
run_model error -DBUG_NOPUBTEST
run_model error -DBUG_NOQSBR
[ "$1" = -q ] && exit $failed
run_model pass
run_model pass -DDETACH -DFINALIZER -DREUSE -DKA=1 -DKB=2 -DKC=1
run_model error -DBUG_EARLYFLAG -DKA=1 -DKB=4 -DKC=1
run_model error -DBUG_LATETID
run_model error -DBUG_NOGATE -DREUSE -DKA=1 -DKB=1 -DKC=0
run_model error -DBUG_NOGATE -DDETACH -DKA=3 -DKB=1 -DKC=0
run_model error -DBUG_STALEIX -DREUSE -DKA=0 -DKB=2 -DKC=1
run_model error -DBUG_NORECHECK -DOTHER -DKA=1 -DKB=2 -DKC=1
exit $failed
