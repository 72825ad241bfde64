#!/bin/sh
# Starts the Redis of a container with the users of users.acl and the passwords of the environment, as digests. A user without a
# password does not exist. The arguments are more of its configuration.
set -eu
users=$(mktemp)
sed -e '/^#/d' "$(dirname "$0")/users.acl" > "$users"
for user in admin auth post interaction moderation engagement; do
    case $user in
        admin) variable=REDIS_PASSWORD ;;
        *) variable=$(printf %s "$user" | tr a-z A-Z)_REDIS_PASSWORD ;;
    esac
    password=$(printenv "$variable" || true)
    if [ -n "$password" ]; then
        digest=$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)
        sed -i -e "s/>{$user}/#$digest/" "$users"
    elif [ "$user" = admin ]; then
        echo "REDIS_PASSWORD is not set" >&2
        exit 1
    else
        sed -i -e "/>{$user}/d" "$users"
    fi
done
# The server is another user.
chmod a+r "$users"
# A feed has up to 801 members: as one packed list it takes a sixth of the memory of a skip list.
set -- redis-server --aclfile "$users" --appendonly yes --save "" --maxmemory-policy noeviction \
    --zset-max-listpack-entries 1024 "$@"
# The image's own entry point gives up root.
if command -v docker-entrypoint.sh > /dev/null; then
    set -- docker-entrypoint.sh "$@"
fi
exec "$@"
