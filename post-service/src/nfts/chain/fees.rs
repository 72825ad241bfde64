//! What is paid for a transaction: by EIP-1559 a base fee, which the chain sets, and a tip on top of it.
use super::node::{ChainNode, NodeFailure};

/// By how much a replacement must raise both fees, in percent; nodes demand ten.
const RAISE_PERCENT: i64 = 13;

/// The fees of a transaction, in wei for a unit of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// The most that is paid in all.
    pub max: i64,
    /// The most that is paid beside the base fee.
    pub tip: i64,
}

/// That fees would have to be higher than the settings allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooExpensive;

impl Fees {
    /// What a transaction has to offer now, with room for base fees that double; not more than `cap`.
    pub async fn ask(node: &ChainNode, cap: i64) -> Result<Result<Self, TooExpensive>, NodeFailure> {
        let base = node.block(None).await?.map(|block| block.base_fee_per_gas).unwrap_or_default();
        let tip = node.priority_fee().await?;
        let number = |fee: u64| i64::try_from(fee).unwrap_or(i64::MAX);
        Ok(Self::of(number(u64::try_from(base).unwrap_or(u64::MAX)), number(tip), cap))
    }

    fn of(base: i64, tip: i64, cap: i64) -> Result<Self, TooExpensive> {
        let needed = base.saturating_add(tip);
        if needed > cap {
            return Err(TooExpensive);
        }
        Ok(Self { max: base.saturating_add(needed).min(cap), tip })
    }

    /// What replaces a transaction that has offered these fees, where `now` is to be offered; not more than `cap`.
    pub fn raised(self, now: Self, cap: i64) -> Result<Self, TooExpensive> {
        let raise = |fee: i64| fee.saturating_add(fee.saturating_mul(RAISE_PERCENT) / 100).saturating_add(1);
        let raised = Self { max: raise(self.max).max(now.max), tip: raise(self.tip).max(now.tip) };
        if raised.max > cap { Err(TooExpensive) } else { Ok(raised) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_leave_room_and_stay_under_the_cap() {
        assert_eq!(Fees::of(10, 2, 100), Ok(Fees { max: 22, tip: 2 }));
        assert_eq!(Fees::of(10, 2, 15), Ok(Fees { max: 15, tip: 2 }));
        assert_eq!(Fees::of(10, 2, 11), Err(TooExpensive));
        assert_eq!(Fees::of(i64::MAX, i64::MAX, i64::MAX), Ok(Fees { max: i64::MAX, tip: i64::MAX }));
    }

    /// Both fees rise by more than the ten percent that nodes demand, however small they are.
    #[test]
    fn a_replacement_pays_more() {
        let old = Fees { max: 1_000, tip: 10 };
        assert_eq!(old.raised(Fees { max: 500, tip: 1 }, 2_000), Ok(Fees { max: 1_131, tip: 12 }));
        assert_eq!(old.raised(Fees { max: 1_900, tip: 50 }, 2_000), Ok(Fees { max: 1_900, tip: 50 }));
        assert_eq!(old.raised(old, 1_100), Err(TooExpensive));
    }
}
