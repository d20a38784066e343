#!/bin/sh
# Runs the models of the reference counts, of the gate and of the lock under Spin: the protocol must pass, and each rule taken away must be
# caught.  The short runs, about a minute; --all: the long ones too.  Without Spin the test counts as skipped (77).
command -v spin >/dev/null 2>&1 || { echo "models: spin is not installed, skipped"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work" || exit 1
failed=0

# run_model expected-outcome options...
model=refcount
run_model() {
    expected=$1; shift
    rm -f pan pan.* ./*.trail
    spin -a "$@" "$here/$model.pml" >/dev/null 2>&1 \
        && ${CC:-cc} -O2 -w -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -o pan pan.c || { echo "models: cannot build $*"; failed=1; return; }
    if ./pan -m400000 2>&1 | grep -q "errors: 0"; then outcome=pass; else outcome=error; fi
    if [ $outcome = "$expected" ]; then echo "ok    $expected  $model $*"; else echo "WRONG $outcome  $model $*"; failed=1; fi
}

run_model pass -DKA=1 -DKB=2 -DKC=1
run_model pass -DBOX -DKA=1 -DKB=2 -DKC=1
run_model error -DBUG_UNPUB
run_model error -DBUG_NOPUBTEST
run_model error -DBUG_NOQSBR
run_model error -DBOX -DBUG_READBOX -DKA=1 -DKB=2 -DKC=1
model=gate
run_model pass -DKA=4 -DKB=1
run_model error -DBUG_OWNER -DKA=4 -DKB=1
model=lock
run_model pass
run_model error -DBUG_PARK
run_model error -DBUG_ANY
[ "$1" = --all ] || exit $failed
for rule in OPENFIRST NOWALK WRITER PUBONLY; do run_model error -DBUG_$rule -DKA=4 -DKB=1; done
model=refcount
run_model pass
run_model pass -DBOX -DDETACH -DREUSE -DKA=1 -DKB=2 -DKC=1
run_model pass -DDETACH -DFINALIZER -DREUSE -DKA=1 -DKB=2 -DKC=1
run_model error -DBUG_EARLYFLAG -DKA=1 -DKB=4 -DKC=1
run_model error -DBUG_LATETID
run_model error -DBUG_NOGATE -DREUSE -DKA=1 -DKB=1 -DKC=0
run_model error -DBUG_NOGATE -DDETACH -DKA=3 -DKB=1 -DKC=0
run_model error -DBUG_STALEIX -DREUSE -DKA=0 -DKB=2 -DKC=1
run_model error -DBUG_NORECHECK -DOTHER -DKA=1 -DKB=2 -DKC=1
exit $failed
