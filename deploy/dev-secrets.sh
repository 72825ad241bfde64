#!/bin/sh
# Makes up the secrets of a try (deploy/chart/ci/dev-values.yaml) in a namespace of the current cluster:
#   deploy/dev-secrets.sh social
# Again: the same command after `kubectl --namespace social delete secrets --all` and a fresh installation.
set -eu
namespace=${1:?usage: dev-secrets.sh NAMESPACE}
secret() { openssl rand -hex 32; }
make() { kubectl --namespace "$namespace" create secret generic "$@"; }
token=$(secret)
database=$(secret)
make dev-postgres --from-literal=POSTGRES_PASSWORD="$(secret)" --from-literal=SERVICES_PASSWORD="$database"
admin=$(secret)
set -- --from-literal=REDIS_PASSWORD="$admin" --from-literal=REDISCLI_AUTH="$admin"
for noun in auth post interaction moderation engagement; do
    password=$(secret)
    set -- "$@" --from-literal="$(printf %s "$noun" | tr a-z A-Z)_REDIS_PASSWORD=$password"
    case $noun in
        auth) own=SECRET_KEY ;;
        engagement) own=UNSUBSCRIBE_SECRET ;;
        *) own= ;;
    esac
    make "$noun-service" \
        --from-literal=DATABASE_URL="postgres://$noun:$database@postgres:5432/social" \
        --from-literal=REDIS_URL="redis://$noun:$password@redis:6379/0" \
        --from-literal=SERVICE_TOKEN="$token" \
        ${own:+--from-literal="$own=$(secret)"}
done
make dev-redis "$@"
