#!/bin/sh
# No file includes a header of a higher layer.
exec "$(dirname "$0")/../Tools/check-layers"
