-- Mails about linked accounts: a link is one more way into an account, of which its owner has to know.

alter table mail
    drop constraint mail_kind,
    -- As before; and ACCOUNT_LINKED, ACCOUNT_UNLINKED: an account elsewhere was linked, or is linked no more. Their cause is the id of
    -- the link, and they name the provider in the words of the operators.
    add constraint mail_kind check (letter ->> 'kind' in
        ('VERIFICATION', 'PASSWORD_RESET', 'WELCOME', 'ADDRESS_ASKED', 'ADDRESS_CHANGED', 'PASSWORD_CHANGED',
        'CHANGE_UNDONE', 'NEW_SIGN_IN', 'SIGN_UP_ATTEMPT', 'BANNED', 'ACCOUNT_LINKED', 'ACCOUNT_UNLINKED', 'NOTIFICATION',
        'NOTIFICATION_DIGEST'));
