-- Push notifications: the devices that want them, and what is on its way to each.

-- Where a user's pushes go: a browser's subscription, or an app on a phone.
create table device (
    id uuid primary key,
    user_id uuid not null,
    -- Which push service takes messages to it: that of a browser (RFC 8030), Firebase Cloud Messaging, Apple's.
    provider text not null check (provider in ('WEB_PUSH', 'FCM', 'APNS')),
    -- The endpoint of a browser's subscription, or the app's registration token. At most 2,048 bytes, which an index holds.
    address text not null check (octet_length(address) between 1 and 2048),
    -- The browser's keys, by which only it reads a message (RFC 8291): a point of P-256, and a secret.
    p256dh bytea check (octet_length(p256dh) = 65),
    auth bytea check (octet_length(auth) = 16),
    -- The bundle id of an Apple app, where it is not the one of the settings.
    topic text,
    -- PRODUCTION or SANDBOX: which of Apple's two services the token is of.
    environment text check (environment in ('PRODUCTION', 'SANDBOX')),
    -- In which session it was registered last, with which its pushes end. Null: a token of the original, which belongs to none.
    session_id uuid,
    -- The last time: apps register again at every start.
    registered_at timestamptz not null default now(),
    -- A device belongs to the user who registered it last.
    constraint device_provider_address_key unique (provider, address),
    check ((provider = 'WEB_PUSH') = (p256dh is not null and auth is not null)),
    check ((provider = 'APNS') = (environment is not null)),
    check (provider = 'APNS' or topic is null)
);

-- A user's devices, the latest first; the oldest go when there are too many.
create index device_user on device (user_id, registered_at desc, id desc);

-- What ends with a session.
create index device_session on device (session_id) where session_id is not null;

-- What is pushed to one device about one notification. A row ends once and stays for a week.
create table push_delivery (
    id uuid primary key,
    notification_id uuid not null,
    user_id uuid not null,
    -- No foreign key: the row outlives the device, and says that it is gone.
    device_id uuid not null,
    -- The device's.
    provider text not null,
    -- WAITING, then SENT (the push service has taken it), FAILED (refused, or given up), or GONE (the device does not exist any more).
    state text not null default 'WAITING' check (state in ('WAITING', 'SENT', 'FAILED', 'GONE')),
    -- How often the message was replaced by a newer one while it waited: the result of sending an older one does not end the row.
    version integer not null default 1,
    -- The message; emptied at the end.
    title text,
    body text,
    -- Where a tap leads.
    url text,
    -- Messages with the same key replace each other on the device.
    collapse_key text,
    -- The users whose names are in the words: when one of them is erased, the words go.
    named uuid[] not null default '{}',
    -- Whether the push service found the message too large, so that it goes without its body.
    shrunk boolean not null default false,
    tries integer not null default 0,
    -- When it is tried next. Whoever takes it moves this ahead first, so that no other replica sends it meanwhile.
    due_at timestamptz not null,
    -- When it is no news any more, and is given up.
    expires_at timestamptz not null,
    -- The last answer of the push service: its status, and why it was not good.
    status smallint,
    error text,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    check ((state = 'WAITING') = (ended_at is null))
);

-- One message waits per notification and device: a newer one takes its place.
create unique index push_delivery_waiting_key on push_delivery (notification_id, device_id) where state = 'WAITING';
-- What is to be sent.
create index push_delivery_due on push_delivery (provider, due_at) where state = 'WAITING';
-- What ends with a device.
create index push_delivery_device on push_delivery (device_id) where state = 'WAITING';
-- A user's, for export and erasure.
create index push_delivery_user on push_delivery (user_id, created_at desc, id desc);
-- What is removed after a week.
create index push_delivery_ended_at on push_delivery (ended_at) where ended_at is not null;
