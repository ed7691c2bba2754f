public import CQLProtocol

/// The way of one comparison from the primary's answer to a verdict; pure, time is passed in by whoever waits.
///
/// Rows that differ at the first look say little: a copy may be on its way. So after a pause the primary is read, then the shadow
/// when it has all that it was owed at that moment, then the primary again. Only where the primary has said the same before and
/// after, and the shadow something else, twice in a row, the clusters differ.
public struct ComparisonCourse: Sendable {
    /// Whom to ask.
    public enum Side: Sendable, Hashable {
        /// The cluster that answers clients.
        case primary
        /// The other one.
        case shadow
    }

    /// What comes next.
    public enum Action: Sendable, Hashable {
        /// Read from a cluster: ``ComparisonCourse/answered(_:)`` or ``ComparisonCourse/failed()`` follows.
        case read(Side)
        /// Wait for the settle time: ``ComparisonCourse/waited()`` follows.
        case settle
        /// Wait until the shadow has what it is owed now: ``ComparisonCourse/waited()`` or ``ComparisonCourse/waitedInVain()``
        /// follows.
        case drain
        /// It is over.
        case end(ComparisonOutcome)
    }

    private enum State {
        /// The shadow is read for the first time.
        case firstLook(primary: Rows)
        case settling
        /// The primary is read before the shadow.
        case before
        case draining(before: Rows)
        case shadow(before: Rows)
        /// The primary is read behind the shadow, whose rows were others.
        case after(before: Rows, shadow: Rows, found: RowComparison)
        case ended
    }

    /// Later looks that may find rows in motion; then nobody knows.
    public static var looksMax: Int { 6 }
    /// Looks in a row that must find the same difference.
    public static var confirmations: Int { 2 }

    private let read: ComparedRead
    private var state: State
    private var looksLeft = Self.looksMax
    /// What the shadow said in the looks that have found a difference so far, and how many they are.
    private var confirmed: (shadow: Rows, count: Int)?

    /// A comparison of rows that a client has just got. The shadow is read first.
    public init(_ read: ComparedRead, primary: Rows) {
        self.read = read
        self.state = .firstLook(primary: primary)
    }

    /// A cluster has answered with rows.
    public mutating func answered(_ rows: Rows) -> Action {
        switch self.state {
        case .firstLook(let primary):
            let found = RowComparison(primary: primary, shadow: rows, of: self.read)
            if found.isEqual { return self.end(.equal) }
            if found.isUndecidable { return self.end(.unordered) }
            return self.settle()
        case .before:
            self.state = .draining(before: rows)
            return .drain
        case .shadow(let before):
            let found = RowComparison(primary: before, shadow: rows, of: self.read)
            if found.isEqual { return self.end(.settled) }
            if found.isUndecidable { return self.end(.unordered) }
            self.state = .after(before: before, shadow: rows, found: found)
            return .read(.primary)
        case .after(let before, let shadow, let found):
            return self.looked(before: before, shadow: shadow, found: found, after: rows)
        case .settling, .draining, .ended:
            preconditionFailure("rows that nobody asked for")
        }
    }

    private mutating func looked(before: Rows, shadow: Rows, found: RowComparison, after: Rows) -> Action {
        if RowComparison(primary: after, shadow: shadow, of: self.read).isEqual { return self.end(.settled) }
        guard RowComparison(primary: before, shadow: after, of: self.read).isEqual else { return self.settle() }
        var count = 1
        if let former = self.confirmed {
            guard RowComparison(primary: former.shadow, shadow: shadow, of: self.read).isEqual else {
                return self.settle()
            }
            count += former.count
        }
        if count >= Self.confirmations { return self.end(.mismatch(found)) }
        self.confirmed = (shadow, count)
        self.state = .draining(before: after)
        return .drain
    }

    /// The rows are in motion, or may be: later again.
    private mutating func settle() -> Action {
        self.confirmed = nil
        guard self.looksLeft > 0 else { return self.end(.undecided) }
        self.looksLeft -= 1
        self.state = .settling
        return .settle
    }

    /// What was waited for is there.
    public mutating func waited() -> Action {
        switch self.state {
        case .settling:
            self.state = .before
            return .read(.primary)
        case .draining(let before):
            self.state = .shadow(before: before)
            return .read(.shadow)
        case .firstLook, .before, .shadow, .after, .ended:
            preconditionFailure("nothing was waited for")
        }
    }

    /// The shadow does not get what it is owed.
    public mutating func waitedInVain() -> Action { self.end(.undecided) }

    /// A cluster has not answered with rows.
    public mutating func failed() -> Action { self.end(.unreadable) }

    private mutating func end(_ outcome: ComparisonOutcome) -> Action {
        self.state = .ended
        self.confirmed = nil
        return .end(outcome)
    }
}

/// What a comparison came to.
public enum ComparisonOutcome: Sendable, Hashable {
    /// The same rows at the first look.
    case equal
    /// The same rows at a later look: the shadow was behind.
    case settled
    /// Other rows, also after the shadow had all that it was owed.
    case mismatch(RowComparison)
    /// Nobody knows: the rows changed all the time, or the shadow did not get what it was owed.
    case undecided
    /// Nobody knows: both sides have shown some of their rows, and nothing says which.
    case unordered
    /// A cluster refused the read, was silent, or said something else.
    case unreadable
}
