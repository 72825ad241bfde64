-- Pictures of profiles that the post service has: an uploaded avatar, and the wide picture above a profile.
alter table account
    -- The address of the banner; null: there is none.
    add column banner_url text;

-- Which uploaded picture a person has chosen. Beside the address in the profile, which a person may also have given by hand: a
-- picture that is taken away takes its own address with it and no other one.
create table profile_picture (
    user_id uuid not null references account (id) on delete cascade,
    purpose text not null constraint profile_picture_purpose check (purpose in ('AVATAR', 'BANNER')),
    -- The address that it has, or had; null: none is chosen.
    url text,
    -- The version by the post service; an older one changes nothing.
    version bigint not null,
    primary key (user_id, purpose)
);
