//! Which variable a name means: a local of this frame, one of an outer function, or one of the scope.

use std::sync::Arc;

use crate::ast::{Filtered, Free, Kind, Node, Slot};

/// Frames from the expression (first) to the innermost function.
#[derive(Debug)]
pub(super) struct Names {
    frames: Vec<Frame>,
    free: Vec<Arc<str>>,
    loops: u32,
    /// Whether `?` was read since somebody cleared this.
    pub(super) input_read: bool,
}

/// Where parsing was, to go back to.
pub(super) struct Place {
    frames: usize,
    locals: usize,
    loops: u32,
}

#[derive(Debug, Default)]
struct Frame {
    locals: Vec<Local>,
    slots: u32,
    captures: Vec<(Slot, Slot)>,
}

#[derive(Debug)]
struct Local {
    /// Nothing for the item of a filter, whose entries are known at evaluation only.
    name: Option<Box<str>>,
    slot: Slot,
    used: bool,
}

impl Default for Names {
    fn default() -> Self {
        Self { frames: vec![Frame::default()], free: Vec::new(), loops: 0, input_read: false }
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
        self.push(Some(name.into()))
    }

    /// A new item, visible as `item` and by its entries, which come first.
    pub(super) fn declare_item(&mut self) -> Slot {
        let slot = self.push(Some("item".into()));
        self.top().locals.push(Local { name: None, slot, used: false });
        slot
    }

    fn push(&mut self, name: Option<Box<str>>) -> Slot {
        let frame = self.top();
        let slot = frame.slots;
        frame.slots += 1;
        frame.locals.push(Local { name, slot, used: false });
        slot
    }

    /// A mark for [`Self::forget`].
    pub(super) fn mark(&mut self) -> usize {
        self.top().locals.len()
    }

    /// Ends the visibility of all locals declared since the mark.
    pub(super) fn forget(&mut self, mark: usize) {
        self.top().locals.truncate(mark);
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
        self.top().locals.iter().any(|local| local.slot == slot && local.used)
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

    /// Slots and captures of the function that ends.
    pub(super) fn leave_function(&mut self) -> (u32, Vec<(Slot, Slot)>) {
        let frame = self.frames.pop().expect("entered before");
        self.loops -= 1;
        (frame.slots, frame.captures)
    }

    /// Whether a local of this name is visible.
    pub(super) fn is_local(&self, name: &str) -> bool {
        self.frames.iter().any(|frame| frame.locals.iter().any(|local| local.name.as_deref() == Some(name)))
    }

    /// Names of all visible locals.
    pub(super) fn visible(&self) -> impl Iterator<Item = &str> {
        self.frames.iter().flat_map(|frame| frame.locals.iter()).filter_map(|local| local.name.as_deref())
    }

    /// What a name means here.
    pub(super) fn resolve(&mut self, name: &str, at: u32) -> Node {
        self.input_read |= name == "?";
        let mut items = Vec::new();
        for depth in (0..self.frames.len()).rev() {
            for index in (0..self.frames[depth].locals.len()).rev() {
                let local = &mut self.frames[depth].locals[index];
                match &local.name {
                    None if name != "?" => {
                        let slot = local.slot;
                        items.push(self.reach(depth, slot));
                    }
                    Some(known) if **known == *name => {
                        local.used = true;
                        let slot = local.slot;
                        let slot = self.reach(depth, slot);
                        return filtered(items, name, Node { kind: Kind::Local(slot), at });
                    }
                    _ => (),
                }
            }
        }
        let in_loop = self.loops > 0;
        let name = self.free_name(name);
        filtered(items, &name, Node { kind: Kind::Free(Free { name: name.clone(), in_loop }), at })
    }

    fn free_name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.free.iter().find(|known| ***known == *name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        self.free.push(name.clone());
        name
    }

    /// The slot in the innermost frame for a slot of an outer one; captured on the way in.
    fn reach(&mut self, depth: usize, slot: Slot) -> Slot {
        self.frames[depth + 1..].iter_mut().fold(slot, |outer, frame| {
            if let Some(&(_, inner)) = frame.captures.iter().find(|(known, _)| *known == outer) {
                return inner;
            }
            let inner = frame.slots;
            frame.slots += 1;
            frame.captures.push((outer, inner));
            inner
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
