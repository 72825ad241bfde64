#!/bin/sh
# Renders the chart with its defaults as the plain manifest deploy/kubernetes.yaml, or into the file that is named. HELM is the
# program, version 4.1 or newer; `cargo stack check` fetches one and compares.
set -eu
cd "$(dirname "$0")"
output=${1:-kubernetes.yaml}
{
    echo "# The platform as plain objects: kubectl apply --server-side --filename deploy/kubernetes.yaml"
    echo "# Made of deploy/chart by deploy/render.sh; what is expected beside it is in docs/kubernetes.md."
    "${HELM:-helm}" template social chart --namespace social --set namespace.create=true
} > "$output.part"
mv "$output.part" "$output"
