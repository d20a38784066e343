#!/bin/sh
# The list of sources that is built equals what is in the tree.
exec "$(dirname "$0")/../Tools/list-sources" --check
