//! The ciphers of auth-conf (RFC 2831 section 2.1.1, `cipher-opts`).
#![forbid(unsafe_code)]

use core::fmt;

/// A cipher, from strong to weak as the page `ciphers` lists them: "the Digest client will select the strongest
/// available cipher".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cipher {
    /// RC4 with a key of 128 bits.
    Rc4,
    /// DES three times with two keys (encrypt, decrypt, encrypt), in CBC mode.
    TripleDes,
    /// RC4 with 56 bits of the session key.
    Rc4_56,
    /// RC4 with 40 bits of the session key.
    Rc4_40,
    /// DES in CBC mode.
    Des,
}

impl Cipher {
    /// All, in order of preference.
    pub const ALL: [Self; 5] = [Self::Rc4, Self::TripleDes, Self::Rc4_56, Self::Rc4_40, Self::Des];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rc4 => "rc4",
            Self::TripleDes => "3des",
            Self::Rc4_56 => "rc4-56",
            Self::Rc4_40 => "rc4-40",
            Self::Des => "des",
        }
    }

    /// The cipher of that name, ignoring ASCII case.
    pub fn from_token(value: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|known| value.eq_ignore_ascii_case(known.as_str().as_bytes()))
    }

    /// The effective length of the key, in bits (RFC 2831 section 2.1.1).
    pub const fn key_bits(self) -> u32 {
        match self {
            Self::Rc4 => 128,
            Self::TripleDes => 112,
            Self::Rc4_56 | Self::Des => 56,
            Self::Rc4_40 => 40,
        }
    }

    /// The length of a block in bytes; `None` is a stream cipher.
    pub const fn block_size(self) -> Option<usize> {
        match self {
            Self::TripleDes | Self::Des => Some(8),
            Self::Rc4 | Self::Rc4_56 | Self::Rc4_40 => None,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Rc4 => 1,
            Self::TripleDes => 2,
            Self::Rc4_56 => 4,
            Self::Rc4_40 => 8,
            Self::Des => 16,
        }
    }
}

/// A set of ciphers.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Ciphers(u8);

impl Ciphers {
    /// No cipher.
    pub const EMPTY: Self = Self(0);
    /// Every cipher.
    pub const ALL: Self = Self::EMPTY
        .with(Cipher::Rc4)
        .with(Cipher::TripleDes)
        .with(Cipher::Rc4_56)
        .with(Cipher::Rc4_40)
        .with(Cipher::Des);

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is in the set.
    pub const fn contains(self, cipher: Cipher) -> bool {
        self.0 & cipher.bit() != 0
    }

    /// The set with this one too.
    #[must_use]
    pub const fn with(self, cipher: Cipher) -> Self {
        Self(self.0 | cipher.bit())
    }

    /// The set without this one.
    #[must_use]
    pub const fn without(self, cipher: Cipher) -> Self {
        Self(self.0 & !cipher.bit())
    }

    /// The members in order of preference.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Cipher> + Clone {
        Cipher::ALL.into_iter().filter(move |cipher| self.contains(*cipher))
    }

    /// The most preferred cipher that both sets have.
    pub fn strongest_in_common(self, other: &Self) -> Option<Cipher> {
        self.iter().find(|cipher| other.contains(*cipher))
    }
}

impl FromIterator<Cipher> for Ciphers {
    fn from_iter<I: IntoIterator<Item = Cipher>>(ciphers: I) -> Self {
        ciphers.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for Ciphers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for Ciphers {
    /// The list as it stands in a challenge: names separated by commas, in order of preference.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, cipher) in self.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            formatter.write_str(cipher.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Cipher, Ciphers};

    /// RFC 2831 section 2.1.1 names them; it gives the RC4 key lengths, and 56 and 112 bits for DES.
    #[test]
    fn names_and_lengths() {
        for (name, cipher, bits, block) in [
            ("rc4", Cipher::Rc4, 128, None),
            ("3des", Cipher::TripleDes, 112, Some(8)),
            ("rc4-56", Cipher::Rc4_56, 56, None),
            ("rc4-40", Cipher::Rc4_40, 40, None),
            ("des", Cipher::Des, 56, Some(8)),
        ] {
            assert_eq!(Cipher::from_token(name.as_bytes()), Some(cipher));
            assert_eq!(Cipher::from_token(name.to_ascii_uppercase().as_bytes()), Some(cipher));
            assert_eq!((cipher.as_str(), cipher.key_bits(), cipher.block_size()), (name, bits, block));
        }
        for other in ["", "aes", "rc4-128", "3des ", "des3"] {
            assert_eq!(Cipher::from_token(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_set_is_listed_in_order_of_preference() {
        assert_eq!(Ciphers::ALL.to_string(), "rc4,3des,rc4-56,rc4-40,des");
        assert_eq!(Ciphers::EMPTY.to_string(), "");
        let some: Ciphers = [Cipher::Des, Cipher::TripleDes].into_iter().collect();
        assert_eq!(some.to_string(), "3des,des");
        assert_eq!(some.with(Cipher::Des), some);
        assert_eq!(some.without(Cipher::TripleDes).to_string(), "des");
        assert!(some.contains(Cipher::Des) && !some.contains(Cipher::Rc4));
        assert!(Ciphers::EMPTY.is_empty() && !some.is_empty());
        assert_eq!(format!("{some:?}"), "{TripleDes, Des}");
    }

    #[test]
    fn the_most_preferred_in_common() {
        let some: Ciphers = [Cipher::Des, Cipher::Rc4_40].into_iter().collect();
        assert_eq!(Ciphers::ALL.strongest_in_common(&some), Some(Cipher::Rc4_40));
        assert_eq!(some.strongest_in_common(&Ciphers::ALL), Some(Cipher::Rc4_40));
        assert_eq!(some.strongest_in_common(&Ciphers::EMPTY.with(Cipher::Rc4)), None);
    }
}
