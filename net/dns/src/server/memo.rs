//! Answers that are kept: most questions have been asked before.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use crate::name::MAX_NAME;
use crate::wire::{CD, HEADER_LEN, Options, RD};

/// The longest answer that is kept.
const MAX_ANSWER: usize = 4096;

/// What an answer depends on besides the question's octets: the type and class follow the name there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Form {
    /// Whether signatures are wanted.
    pub(super) options: Options,
    /// How long the answer may be.
    pub(super) limit: u16,
}

/// A kept answer.
#[derive(Debug)]
pub(super) struct Kept {
    hash: u64,
    form: Form,
    /// The whole message but OPT, its question's name in lower case.
    message: Box<[u8]>,
    /// For the rate limit.
    pub(super) source: u32,
}

impl Kept {
    fn new(question: &Question, message: &[u8], source: u32) -> Self {
        let mut message: Box<[u8]> = message.into();
        message[2] &= !RD;
        message[3] &= !CD;
        message[HEADER_LEN..HEADER_LEN + question.len].copy_from_slice(question.octets());
        Self {
            hash: question.hash,
            form: question.form,
            message,
            source,
        }
    }

    /// Whether it is the answer to that question.
    fn answers(&self, question: &Question) -> bool {
        self.hash == question.hash
            && self.form == question.form
            && self.message.get(HEADER_LEN..HEADER_LEN + question.len) == Some(question.octets())
    }

    /// Appends it as the answer to a query: only the id, what is echoed of its flags, and the case of its name are the query's own.
    pub(super) fn write(&self, id: [u8; 2], echoed: [u8; 2], name: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.message);
        let message = &mut out[start..];
        message[..2].copy_from_slice(&id);
        message[2] |= echoed[0];
        message[3] |= echoed[1];
        message[HEADER_LEN..HEADER_LEN + name.len()].copy_from_slice(name);
    }
}

/// A question in the form in which it is compared.
pub(super) struct Question {
    hash: u64,
    form: Form,
    len: usize,
    /// Its name in lower case, its type and its class.
    octets: [u8; MAX_NAME + 4],
}

impl Question {
    pub(super) fn new(seed: u64, question: &[u8], form: Form) -> Self {
        let mut octets = [0; MAX_NAME + 4];
        let len = question.len();
        octets[..len].copy_from_slice(question);
        // Type and class have no letters that matter: class IN is 0, 1; a type's octets might, so they stay as they are.
        octets[..len - 4].make_ascii_lowercase();
        let mut hash =
            seed ^ u64::from(form.limit) << 1 ^ u64::from(form.options == Options::Dnssec);
        for chunk in octets[..len].chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            hash ^= hash >> 32;
        }
        Self {
            hash,
            form,
            len,
            octets,
        }
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets[..self.len]
    }
}

/// A table of answers. Each question has two places, so that two that are asked all the time do not drive each other out.
///
/// An answer is kept when its question comes for the second time: questions that come once, as in a large zone most do, cost no memory and drive
/// nothing out.
#[derive(Debug)]
pub(super) struct Memo {
    places: Box<[Place]>,
    octets: usize,
    max_octets: usize,
}

#[derive(Debug, Default)]
struct Place {
    kept: Option<Kept>,
    /// The hash of the question that was last here and not kept.
    missed: u64,
}

impl Memo {
    pub(super) fn new(answers: usize, max_octets: usize) -> Self {
        let places = match answers {
            0 => 0,
            answers => answers.clamp(2, 1 << 20).next_power_of_two(),
        };
        let mut table = vec![];
        table.resize_with(places, Place::default);
        Self {
            places: table.into(),
            octets: 0,
            max_octets,
        }
    }

    /// Its two places, if there are any.
    fn places(&self, question: &Question) -> Option<[usize; 2]> {
        let mask = self.places.len().checked_sub(1)?;
        let first = (question.hash >> 20) as usize & mask;
        Some([first, first ^ 1])
    }

    pub(super) fn find(&self, question: &Question) -> Option<&Kept> {
        let kept = |place: usize| self.places[place].kept.as_ref();
        self.places(question)?
            .into_iter()
            .filter_map(kept)
            .find(|kept| kept.answers(question))
    }

    /// Keeps a message that [`find`](Self::find) has not found, if its question has come before. The name of its question gets lower case.
    pub(super) fn keep(&mut self, question: &Question, message: &[u8], source: u32) {
        let Some([first, second]) = self.places(question) else {
            return;
        };
        if core::mem::replace(&mut self.places[first].missed, question.hash) != question.hash {
            return;
        }
        let place = match &self.places[first].kept {
            Some(_) if self.places[second].kept.is_none() => second,
            _ => first,
        };
        if let Some(old) = self.places[place].kept.take() {
            self.octets -= old.message.len();
        }
        if message.len() > MAX_ANSWER || self.octets + message.len() > self.max_octets {
            return;
        }
        self.octets += message.len();
        self.places[place].kept = Some(Kept::new(question, message, source));
    }

    pub(super) fn clear(&mut self) {
        self.places.fill_with(Place::default);
        self.octets = 0;
    }
}
