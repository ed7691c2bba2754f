import LiveTables
import NIOCore

/// Decides what a repair writes. Pure: what both clusters have, and time, are passed in.
struct RepairPlanner {
    let comparison: RowComparison
    /// The table with the columns that are compared.
    let live: LiveTable
    let settings: RepairSettings
    /// Seconds since 1970 at which it is written.
    let now: Int64
    /// Whether a first repair has been written and the row still differs: somewhere is a deletion that is newer.
    var isSecond = false

    /// The plan for a row, or for the statics of a partition, whose differences are these.
    func plan(
        _ place: RowPlace,
        source: RowComparison.Cells?,
        target: RowComparison.Cells?,
        _ differences: [Difference]
    ) -> RepairPlan {
        let columns = self.comparison.columns(of: place)
        var draft = Draft(
            place: place,
            columns: columns,
            source: source ?? .init(cells: .init(repeating: nil, count: columns.count), readAt: self.now),
            target: target ?? .init(cells: .init(repeating: nil, count: columns.count), readAt: self.now)
        )
        guard !self.comparison.table.isCounter else {
            self.count(target, differences, &draft)
            return draft.plan
        }
        for difference in differences {
            switch (difference.kind, difference.column.flatMap { name in columns.firstIndex { $0.name == name } }) {
            case (.missingOnTarget, _): self.copyRow(to: .target, &draft)
            case (.missingOnSource, _): self.extraRow(difference, &draft)
            case (_, let index?): self.cell(difference, at: index, &draft)
            case (_, nil): break
            }
        }
        for side in Side.allCases { self.finish(side, &draft) }
        return draft.plan
    }

    /// A plan that is being made.
    struct Draft {
        let place: RowPlace
        let columns: [ComparedTable.Column]
        let source: RowComparison.Cells
        let target: RowComparison.Cells
        var plan = RepairPlan()
        var writes: [Side: RepairDraft] = [:]

        func cells(_ side: Side) -> RowComparison.Cells { side == .source ? self.source : self.target }

        /// The newest time that is told of the row on one side; nil where none is.
        func newest(_ side: Side) -> Int64? {
            self.cells(side).cells.compactMap { $0 }.flatMap(\.allTimes).map(\.timestamp).max()
        }

        mutating func write(_ side: Side, _ change: (inout RepairDraft) -> Void) {
            change(&self.writes[side, default: RepairDraft(count: self.columns.count)])
        }

        mutating func refuse(_ reason: String) {
            if !self.plan.unrepaired.contains(reason) { self.plan.unrepaired.append(reason) }
        }
    }

    // MARK: Rows

    private func copyRow(to side: Side, _ draft: inout Draft) {
        guard !self.isSecond else {
            return draft.refuse("it was written and is not there: the \(side.rawValue) has a deletion that is newer")
        }
        guard draft.newest(side.other) != nil || self.settings.untoldTimestamp != nil else {
            return draft.refuse("no time of the row is told; \(Self.advice)")
        }
        let cells = draft.cells(side.other).cells
        draft.write(side) { write in
            write.isWholeRow = true
            write.cells = cells
        }
    }

    private func extraRow(_ difference: Difference, _ draft: inout Draft) {
        if self.settings.policy == .newestWins, !self.isSecond { return self.copyRow(to: .source, &draft) }
        guard self.settings.deletesExtras else {
            return draft.refuse("the target alone has the row, and deleting such rows was not asked for")
        }
        guard let time = difference.target?.writetime ?? self.settings.untoldTimestamp else {
            return draft.refuse(
                "the target alone has the row, and tells no time with which it could be deleted; \(Self.advice)"
            )
        }
        draft.write(.target) { $0.rowDeletion = time }
    }

    // MARK: Cells

    private func cell(_ difference: Difference, at index: Int, _ draft: inout Draft) {
        let column = draft.columns[index]
        if column.storage == .list { return self.list(at: index, &draft) }
        switch (difference.source, difference.target) {
        case (let source?, let target?): self.choose(difference, (source, target), at: index, &draft)
        case (let source?, nil): self.copy(difference, source, to: .target, at: index, source.writetime, &draft)
        case (nil, let target?):
            if self.settings.policy == .newestWins, !self.isSecond {
                return self.copy(difference, target, to: .source, at: index, target.writetime, &draft)
            }
            self.delete(difference, target, column, &draft)
        case (nil, nil): break
        }
    }

    private func choose(
        _ difference: Difference,
        _ pair: (source: Difference.Content, target: Difference.Content),
        at index: Int,
        _ draft: inout Draft
    ) {
        let name = draft.columns[index].name
        guard pair.source.writetime != nil, pair.target.writetime != nil else {
            guard self.settings.policy == .sourceWins, let time = self.untoldTime(&draft) else {
                let isOfSource = self.settings.policy == .sourceWins
                return draft.refuse(
                    "\(name): its times are not told, so that none is the newer one\(isOfSource ? "; " + Self.advice : "")"
                )
            }
            draft.plan.notes.append("\(name): its time is not told; written above the newest of its row")
            self.copy(difference, pair.source, to: .target, at: index, time + 1, &draft)
            guard self.settings.alignsSource else { return }
            return self.copy(difference, pair.source, to: .source, at: index, time + 1, &draft)
        }
        guard self.settings.policy == .sourceWins else {
            let choice = CellChoice.newest(pair.source, pair.target)
            let content = choice.winner == .source ? pair.source : pair.target
            return self.copy(difference, content, to: choice.winner.other, at: index, choice.timestamp, &draft)
        }
        let isValueEqual = difference.aspect == .writetime || difference.aspect == .timeToLive
        let choice = CellChoice.source(pair.source, over: pair.target, isValueEqual: isValueEqual)
        guard choice.isRaised else {
            return self.copy(difference, pair.source, to: .target, at: index, choice.timestamp, &draft)
        }
        guard let time = choice.timestamp else {
            guard self.settings.alignsSource, let time = pair.target.writetime else {
                return draft.refuse(
                    "\(name): the values are equal and the target's writetime is newer, which nothing written there can lower"
                )
            }
            // Lives may differ, too: only one step above both of them is sure to win on either side.
            draft.plan.notes.append("\(name): written on both sides with timestamp \(time + 1)")
            self.copy(difference, pair.source, to: .target, at: index, time + 1, &draft)
            return self.copy(difference, pair.source, to: .source, at: index, time + 1, &draft)
        }
        draft.plan.notes.append(
            "\(name): the target's is newer or wins at the same time, so that the source's is written there with timestamp "
                + "\(time), one above it"
        )
        self.copy(difference, pair.source, to: .target, at: index, time, &draft)
        if self.settings.alignsSource {
            self.copy(difference, pair.source, to: .source, at: index, time, &draft)
        } else {
            draft.plan.raised.insert(name)
        }
    }

    private func copy(
        _ difference: Difference,
        _ content: Difference.Content,
        to side: Side,
        at index: Int,
        _ timestamp: Int64?,
        _ draft: inout Draft
    ) {
        let name = draft.columns[index].name
        let from: Side = content == difference.source ? .source : .target
        guard let value = content.value,
            let timestamp = timestamp ?? draft.newest(from) ?? self.settings.untoldTimestamp
        else {
            return draft.refuse("\(name): no time of its row is told; \(Self.advice)")
        }
        let readAt = draft.cells(side).readAt
        let time = LiveTime(timestamp, timeToLive: Self.life(content, readAt))
        draft.write(side) { write in
            guard let element = difference.element else {
                write.cells[index] = LiveCell(value, .one(time))
                return
            }
            write.elements[index, default: []].append(.init(element: element, value: value, time: time))
        }
    }

    /// What an operator can do where no time is told.
    private static var advice: String { "say with --untold-timestamp which one it is to have" }

    /// The time of what is there and of which no cluster tells one: the newest of its row, or what the operator says where that
    /// is newer. Nil where nothing is known.
    private func untoldTime(_ draft: inout Draft) -> Int64? {
        draft.plan.guessesTimes = true
        return [draft.newest(.source), draft.newest(.target), self.settings.untoldTimestamp].compactMap { $0 }.max()
    }

    /// Seconds that are left; at least one of what ends.
    private static func life(_ content: Difference.Content, _ readAt: Int64) -> Int32 {
        guard let end = content.expiresAt, end != 0 else { return 0 }
        return Int32(clamping: max(1, end - readAt))
    }

    private func delete(
        _ difference: Difference,
        _ content: Difference.Content,
        _ column: ComparedTable.Column,
        _ draft: inout Draft
    ) {
        guard self.settings.deletesExtras else {
            return draft.refuse("\(column.name): the target alone has it, and deleting such values was not asked for")
        }
        guard let timestamp = content.writetime ?? self.untoldTime(&draft) else {
            return draft.refuse(
                "\(column.name): the target alone has it, and tells no time with which it could be deleted; "
                    + Self.advice
            )
        }
        if content.writetime == nil {
            draft.plan.notes.append("\(column.name): its time is not told; deleted with timestamp \(timestamp)")
        }
        let target: StatementTexts.Target
        var values: [ByteBuffer?] = []
        switch difference.element {
        case .key(let key)?: (target, values) = (.element(column.name), [key])
        case .field(let field)?: target = .field(column.name, field)
        case .index?, nil: target = .column(column.name)
        }
        draft.write(.target) { $0.deletions.append((target, values, timestamp)) }
    }

    /// A list is written as a whole, above everything that either side tells: it replaces what is there.
    private func list(at index: Int, _ draft: inout Draft) {
        let name = draft.columns[index].name
        guard draft.writes.values.allSatisfy({ $0.cells[index] == nil }) else { return }
        let (source, target) = (draft.source.cells[index], draft.target.cells[index])
        let (one, other) = (Self.newest(source), Self.newest(target))
        var winner = Side.source
        if self.settings.policy == .newestWins {
            guard let one, let other, one != other else {
                return draft.refuse("\(name): its times do not tell which list is the newer one")
            }
            winner = one > other ? .source : .target
        }
        guard let list = winner == .source ? source : target else {
            guard winner == .source, self.settings.deletesExtras else {
                return draft.refuse("\(name): one side alone has the list, and deleting it was not asked for")
            }
            guard let known = other ?? self.untoldTime(&draft) else {
                return draft.refuse("\(name): no time of its row is told; \(Self.advice)")
            }
            draft.write(.target) { $0.deletions.append((.column(name), [], known)) }
            return
        }
        let isTold = (source == nil || one != nil) && (target == nil || other != nil)
        guard let newest = isTold ? [one, other].compactMap({ $0 }).max() : self.untoldTime(&draft) else {
            return draft.refuse("\(name): no time of its row is told; \(Self.advice)")
        }
        let life = list.allTimes.max { $0.timestamp < $1.timestamp }?.timeToLive ?? 0
        let count = RowComparison.parts(list, draft.columns[index])?.count ?? 0
        let time = LiveTime(newest + 1, timeToLive: life)
        draft.plan.notes.append("\(name): the list is written as a whole with timestamp \(newest + 1)")
        draft.write(winner.other) { write in
            write.cells[index] = LiveCell(list.value, .each(Array(repeating: time, count: count)))
        }
    }

    private static func newest(_ cell: LiveCell?) -> Int64? { cell?.allTimes.map(\.timestamp).max() }

    // MARK: Counters

    private func count(_ target: RowComparison.Cells?, _ differences: [Difference], _ draft: inout Draft) {
        guard self.settings.repairsCounters else {
            return draft.refuse("counters are only added to where that was asked for, on a table that nobody writes")
        }
        guard self.settings.policy == .sourceWins, !differences.contains(where: { $0.kind == .missingOnSource }) else {
            return draft.refuse("of counters only what the target lacks can be added")
        }
        var counters = LiveCounters(self.live, self.live.target())
        let isStatic = draft.place.clustering == nil
        // A counter that the target has above the source's is taken from, as a difference below zero.
        let there = target.map { $0.cells.map { $0?.value } }
        let statement = counters.difference(
            key: draft.place.key,
            clustering: draft.place.clustering ?? [],
            draft.source.cells,
            target: there,
            isStatic: isStatic
        )
        if let statement { draft.plan.steps.append(.init(side: .target, statement: statement)) }
    }

    // MARK: Statements

    private func finish(_ side: Side, _ draft: inout Draft) {
        guard var write = draft.writes[side] else { return }
        write.finish(draft.columns)
        let place = draft.place
        let isStatic = place.clustering == nil
        var statements: [TargetStatement] = []
        if write.writes {
            var options = LiveStatements.Options(beginning: self.settings.untoldTimestamp ?? 0)
            options.markers = write.isWholeRow ? .always : .withoutCells
            var translation = Translation()
            var part = LivePart(key: place.key, token: place.token, statics: isStatic ? write.cells : nil)
            if let clustering = place.clustering { part.rows = [LiveRow(clustering: clustering, cells: write.cells)] }
            var texts = LiveStatements(self.live, self.live.target(), options)
            let readAt = draft.cells(write.isWholeRow ? side.other : side).readAt
            texts.add(part, readAt: readAt, now: self.now, into: &translation)
            statements = translation.statements
            for one in translation.unloadable { draft.refuse(one.description) }
        }
        var texts = StatementTexts(self.live.target())
        let key = place.key + (place.clustering ?? [])
        for deletion in write.deletions {
            let text = texts.text(.delete([deletion.target], isStatic: isStatic))
            let values = deletion.values + [ByteBuffer(integer: deletion.timestamp)] + key
            statements.append(TargetStatement(text, values, timestamp: deletion.timestamp))
        }
        if let timestamp = write.rowDeletion {
            let values = [ByteBuffer(integer: timestamp)] + key
            statements.append(TargetStatement(texts.text(.deleteRow), values, timestamp: timestamp))
        }
        draft.plan.steps += statements.map { .init(side: side, statement: $0) }
    }
}
