//! Which variable a name means: a local of this frame, one of an outer function, or one of the scope.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::ast::{Filtered, Free, Kind, Node, Slot};

/// Frames from the expression (first) to the innermost function.
#[derive(Debug)]
pub(super) struct Names {
    frames: Vec<Frame>,
    free: Vec<Arc<str>>,
    /// Positions in `free` by name.
    free_by_name: BTreeMap<Arc<str>, usize>,
    loops: u32,
    /// Whether `?` was read since somebody cleared this.
    pub(super) input_read: bool,
}

/// What is known of a function when its body has been read.
pub(super) struct Left {
    pub(super) slots: u32,
    pub(super) captures: Box<[(Slot, Slot)]>,
    pub(super) reads: Box<[Arc<str>]>,
}

/// Where parsing was, to go back to.
pub(super) struct Place {
    frames: usize,
    locals: usize,
    loops: u32,
}

/// Names are looked up by trees throughout, so that a source full of names is read in about linear time.
#[derive(Debug, Default)]
struct Frame {
    locals: Vec<Local>,
    /// Positions in `locals` by name, the innermost last.
    by_name: BTreeMap<Arc<str>, Vec<usize>>,
    /// Positions in `locals` of the items of filters, the innermost last.
    items: Vec<usize>,
    slots: u32,
    captures: BTreeMap<Slot, Slot>,
    /// Variables of the scope that are read in it.
    reads: BTreeSet<Arc<str>>,
}

#[derive(Debug)]
struct Local {
    /// Nothing for the item of a filter, whose entries are known at evaluation only.
    name: Option<Arc<str>>,
    slot: Slot,
    used: bool,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            frames: vec![Frame::default()],
            free: Vec::new(),
            free_by_name: BTreeMap::new(),
            loops: 0,
            input_read: false,
        }
    }
}

impl Frame {
    fn push(&mut self, name: Option<Arc<str>>, slot: Slot) {
        let position = self.locals.len();
        match &name {
            Some(name) => self.by_name.entry(name.clone()).or_default().push(position),
            None => self.items.push(position),
        }
        self.locals.push(Local { name, slot, used: false });
    }

    fn truncate(&mut self, length: usize) {
        while self.locals.len() > length {
            let Some(local) = self.locals.pop() else { return };
            let Some(name) = local.name else {
                self.items.pop();
                continue;
            };
            if let Some(positions) = self.by_name.get_mut(&name) {
                positions.pop();
                if positions.is_empty() {
                    self.by_name.remove(&name);
                }
            }
        }
    }
}

impl Names {
    pub(super) fn finish(mut self) -> (u32, Vec<Arc<str>>) {
        (self.top().slots, self.free)
    }

    fn top(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("the frame of the expression is never taken away")
    }

    /// A new local, visible until [`Self::forget`].
    pub(super) fn declare(&mut self, name: &str) -> Slot {
        let frame = self.top();
        let slot = frame.slots;
        frame.slots += 1;
        frame.push(Some(name.into()), slot);
        slot
    }

    /// A new item, visible as `item` and by its entries, which come first.
    pub(super) fn declare_item(&mut self) -> Slot {
        let slot = self.declare("item");
        self.top().push(None, slot);
        slot
    }

    /// A mark for [`Self::forget`].
    pub(super) fn mark(&mut self) -> usize {
        self.top().locals.len()
    }

    /// Ends the visibility of all locals declared since the mark.
    pub(super) fn forget(&mut self, mark: usize) {
        self.top().truncate(mark);
    }

    /// Takes back the slot that was given last, if nothing will use it.
    pub(super) fn release(&mut self, slot: Slot) {
        let frame = self.top();
        if frame.slots == slot + 1 {
            frame.slots = slot;
        }
    }

    pub(super) fn place(&mut self) -> Place {
        Place { frames: self.frames.len(), locals: self.mark(), loops: self.loops }
    }

    /// Forgets what an attempt declared that did not come to its end. Slots stay taken; nobody reads them.
    pub(super) fn go_back(&mut self, place: &Place) {
        self.frames.truncate(place.frames);
        self.forget(place.locals);
        self.loops = place.loops;
    }

    /// Whether a visible local has been read.
    pub(super) fn is_used(&mut self, slot: Slot) -> bool {
        // Slots are given in order, so the locals are sorted by them.
        let locals = &self.top().locals;
        locals.binary_search_by_key(&slot, |local| local.slot).is_ok_and(|at| locals[at].used)
    }

    pub(super) fn enter_loop(&mut self) {
        self.loops += 1;
    }

    pub(super) fn leave_loop(&mut self) {
        self.loops -= 1;
    }

    pub(super) fn enter_function(&mut self) {
        self.frames.push(Frame::default());
        self.loops += 1;
    }

    /// What is known of the function that ends.
    pub(super) fn leave_function(&mut self) -> Left {
        let frame = self.frames.pop().expect("entered before");
        self.loops -= 1;
        let (captures, reads) = (frame.captures.into_iter().collect(), frame.reads.into_iter().collect());
        Left { slots: frame.slots, captures, reads }
    }

    /// Whether a local of this name is visible.
    pub(super) fn is_local(&self, name: &str) -> bool {
        self.frames.iter().any(|frame| frame.by_name.contains_key(name))
    }

    /// Names of visible locals that start with a word; not more than one would write by hand.
    pub(super) fn visible<'n>(&'n self, word: &'n str) -> impl Iterator<Item = &'n str> {
        const MOST: usize = 100;
        let from = (Bound::Included(word), Bound::Unbounded);
        let names = self.frames.iter().flat_map(move |frame| {
            let names = frame.by_name.range::<str, _>(from).map(|(name, _)| &**name);
            names.take_while(move |name| name.starts_with(word))
        });
        names.take(MOST)
    }

    /// What a name means here.
    pub(super) fn resolve(&mut self, name: &str, at: u32) -> Node {
        self.input_read |= name == "?";
        let mut items = Vec::new();
        for depth in (0..self.frames.len()).rev() {
            let frame = &mut self.frames[depth];
            let found = frame.by_name.get(name).and_then(|positions| positions.last().copied());
            if name != "?" {
                // Filters inside of where the name was declared come first.
                let inside =
                    frame.items.iter().rev().take_while(|&&item| found.is_none_or(|found| item > found));
                let slots: Vec<Slot> = inside.map(|&item| frame.locals[item].slot).collect();
                items.extend(slots.into_iter().map(|slot| self.reach(depth, slot)));
            }
            if let Some(found) = found {
                let local = &mut self.frames[depth].locals[found];
                local.used = true;
                let slot = local.slot;
                let slot = self.reach(depth, slot);
                return filtered(items, name, Node { kind: Kind::Local(slot), at });
            }
        }
        let in_loop = self.loops > 0;
        let number = self.free_number(name);
        let free = Free { name: self.free[number].clone(), number, in_loop };
        for frame in &mut self.frames[1..] {
            frame.reads.insert(free.name.clone());
        }
        filtered(items, name, Node { kind: Kind::Free(free), at })
    }

    fn free_number(&mut self, name: &str) -> usize {
        if let Some(&number) = self.free_by_name.get(name) {
            return number;
        }
        let (name, number): (Arc<str>, usize) = (name.into(), self.free.len());
        self.free.push(name.clone());
        self.free_by_name.insert(name, number);
        number
    }

    /// The slot in the innermost frame for a slot of an outer one; captured on the way in.
    fn reach(&mut self, depth: usize, slot: Slot) -> Slot {
        self.frames[depth + 1..].iter_mut().fold(slot, |outer, frame| {
            *frame.captures.entry(outer).or_insert_with(|| {
                frame.slots += 1;
                frame.slots - 1
            })
        })
    }
}

fn filtered(items: Vec<Slot>, name: &str, otherwise: Node) -> Node {
    if items.is_empty() {
        return otherwise;
    }
    let at = otherwise.at;
    if let Kind::Local(slot) = otherwise.kind
        && items == [slot]
    {
        return Node { kind: Kind::Item(slot), at };
    }
    Node {
        kind: Kind::Filtered(Box::new(Filtered { items: items.into(), name: name.into(), otherwise })),
        at,
    }
}
