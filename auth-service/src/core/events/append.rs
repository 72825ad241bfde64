//! The one way in which a stream is written: a batch goes behind the last id that the relay knows of, or not at all.
use std::sync::LazyLock;

use redis::Script;
use redis::aio::ConnectionManager;

use crate::core::events::Id;
use crate::core::events::numbering::Numbered;

/// The size of one append, in bytes of messages; the first event goes whatever its size.
const BATCH_BYTES: usize = 1024 * 1024;
/// The end of no stream: what is compared with it is told where the end is.
const NOWHERE: Id = Id { ms: -1, seq: 0 };

/// Appends ARGV[3…] (seven for each entry: its id and its fields' values) behind ARGV[1], and without entries only tells.
/// The answer is whether they were appended, and the stream's last id.
static APPEND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local last = '0-0'
        if redis.call('EXISTS', KEYS[1]) == 1 then
            local info = redis.call('XINFO', 'STREAM', KEYS[1])
            for i = 1, #info, 2 do
                if info[i] == 'last-generated-id' then last = info[i + 1] end
            end
        end
        if last ~= ARGV[1] then return {0, last} end
        local width = 7
        for i = 3, #ARGV, width do
            local entry = {'message', ARGV[i + 1], 'type', 'json', 'event_id', ARGV[i + 2], 'prev', ARGV[i + 3],
                'occurred_at', ARGV[i + 4], 'source', ARGV[2], 'version', ARGV[i + 5]}
            if ARGV[i + 6] ~= '' then
                entry[#entry + 1] = 'traceparent'
                entry[#entry + 1] = ARGV[i + 6]
            end
            redis.call('XADD', KEYS[1], ARGV[i], unpack(entry))
            last = ARGV[i]
        end
        return {1, last}
        ",
    )
});

/// Appends a batch behind `last`; whether it did, and the stream's last id. An error says nothing about either.
pub async fn append(
    redis: &mut ConnectionManager,
    source: &str,
    stream: &str,
    last: Id,
    batch: &[Numbered],
) -> anyhow::Result<(bool, Id)> {
    let mut call = APPEND.key(stream);
    call.arg(last.to_string()).arg(source);
    for event in batch {
        call.arg(Id { ms: event.pos, seq: 0 }.to_string())
            .arg(&event.message)
            .arg(event.event_id.to_string())
            .arg(&event.prev)
            .arg(event.occurred_at.to_string())
            .arg(event.version)
            .arg(event.traceparent.as_deref().unwrap_or_default());
    }
    let (done, last): (i64, String) = call.invoke_async(redis).await?;
    Ok((done == 1, last.parse()?))
}

/// The last id of a stream; 0-0 when there is no such stream.
pub async fn end(redis: &mut ConnectionManager, stream: &str) -> anyhow::Result<Id> {
    Ok(append(redis, "", stream, NOWHERE, &[]).await?.1)
}

/// Leaves so many events in a batch as go into one append.
pub fn fit(batch: &mut Vec<Numbered>) {
    let mut bytes = 0;
    let fit = batch.iter().take_while(|event| {
        let first = bytes == 0;
        bytes += event.message.len();
        first || bytes <= BATCH_BYTES
    });
    let fit = fit.count();
    batch.truncate(fit);
}
