/// What two patterns have to do with each other.
extension NamePattern {
    /// Whether some name may be meant by both.
    func meets(_ other: NamePattern) -> Bool {
        if let name = other.exactName { return self.matches(name) }
        if let name = self.exactName { return other.matches(name) }
        // `meets[j]`: whether the rest of this pattern and the rest of the other one from j on have a name in common.
        let (mine, theirs) = (self.text, other.text)
        var below = [Bool](repeating: false, count: theirs.count + 1)
        for i in stride(from: mine.count, through: 0, by: -1) {
            var meets = [Bool](repeating: false, count: theirs.count + 1)
            for j in stride(from: theirs.count, through: 0, by: -1) {
                let (isMyEnd, isTheirEnd) = (i == mine.count, j == theirs.count)
                if isMyEnd && isTheirEnd {
                    meets[j] = true
                } else if !isMyEnd && mine[i] == "*" {
                    meets[j] = below[j] || !isTheirEnd && meets[j + 1]
                } else if !isTheirEnd && theirs[j] == "*" {
                    meets[j] = meets[j + 1] || !isMyEnd && below[j]
                } else if !isMyEnd && !isTheirEnd {
                    let fits = mine[i] == theirs[j] || mine[i] == "?" || theirs[j] == "?"
                    meets[j] = fits && below[j + 1]
                }
            }
            below = meets
        }
        return below[0]
    }

    /// Whether every name that the other one means is meant by this one, as far as the two texts show it.
    func covers(_ other: NamePattern) -> Bool {
        if let name = other.exactName { return self.matches(name) }
        guard self.exactName == nil else { return false }
        // The other one's text as if it were a name, in which a star is taken by a star alone.
        return self.takes(other.text) { $0 != "*" }
    }
}

extension TableFilter.Pattern {
    /// The only table that it stands for; nil where there may be several.
    var exactTable: (keyspace: String, table: String)? {
        guard let keyspace = self.keyspace.exactName, let table = self.table?.exactName else { return nil }
        return (keyspace, table)
    }

    /// Whether it names a table.
    func matches(_ keyspace: String, _ table: String) -> Bool {
        self.keyspace.matches(keyspace) && self.table?.matches(table) ?? true
    }

    /// Whether some table may be named by both.
    public func meets(_ other: Self) -> Bool {
        guard self.keyspace.meets(other.keyspace) else { return false }
        guard let mine = self.table, let theirs = other.table else { return true }
        return mine.meets(theirs)
    }

    /// Whether every table that the other one names is named by this one, as far as the two texts show it.
    public func covers(_ other: Self) -> Bool {
        guard self.keyspace.covers(other.keyspace) else { return false }
        guard let mine = self.table else { return true }
        return other.table.map { mine.covers($0) } ?? false
    }
}
