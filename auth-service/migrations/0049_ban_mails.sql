-- Mails about bans: who is banned cannot sign in to read why, or to appeal.

alter table mail
    drop constraint mail_kind,
    -- VERIFICATION, PASSWORD_RESET: bring a token. WELCOME: the address was verified for the first time.
    -- ADDRESS_ASKED, ADDRESS_CHANGED, PASSWORD_CHANGED: say what changed, and bring a token that takes it back.
    -- CHANGE_UNDONE, NEW_SIGN_IN: say what happened to the account, in case its owner did not do it.
    -- SIGN_UP_ATTEMPT: a sign-up used the address of an account.
    -- BANNED: moderation has banned the account; brings moderation's token, with which its decision is appealed. Its cause is the
    -- decision.
    -- NOTIFICATION, NOTIFICATION_DIGEST: what others did, one by itself or what has gathered in a day. Their cause is the id of the
    -- request, and they name users by their ids: the names are looked up when they are sent.
    add constraint mail_kind check (letter ->> 'kind' in
        ('VERIFICATION', 'PASSWORD_RESET', 'WELCOME', 'ADDRESS_ASKED', 'ADDRESS_CHANGED', 'PASSWORD_CHANGED',
        'CHANGE_UNDONE', 'NEW_SIGN_IN', 'SIGN_UP_ATTEMPT', 'BANNED', 'NOTIFICATION', 'NOTIFICATION_DIGEST'));
