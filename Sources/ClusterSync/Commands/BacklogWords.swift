import Operations

/// What is to be said of what a cluster is owed, in words for somebody who was woken up.
struct BacklogWords: Equatable {
    let text: String
    /// Whether somebody must do something.
    let isAlarming: Bool

    /// Writes that are younger than this, in milliseconds, are on their way and not worth a word.
    private static var noteworthyMilliseconds: Int { 5_000 }
    private static var usersShown: Int { 3 }

    /// All that is to be said of a leg; nothing where all is well.
    static func of(_ leg: StatusDocument.Leg, isJournalled: Bool) -> [BacklogWords] {
        var all: [BacklogWords] = []
        if let text = self.backlog(leg, isJournalled) { all.append(.init(text: text, isAlarming: false)) }
        if leg.waitsForLogins > 0 {
            all.append(
                .init(
                    text: "\(leg.cluster): copies wait for the next login of \(self.users(leg)), "
                        + "whose password the sidecar does not know or the cluster refuses",
                    isAlarming: false
                )
            )
        }
        if leg.deadLetters > 0 {
            all.append(
                .init(
                    text: "\(leg.cluster): \(Human.many(leg.deadLetters, "write was", "writes were")) refused for good "
                        + "(cluster-sync journal dead-letters)",
                    isAlarming: true
                )
            )
        }
        if leg.dirtyPartitions > 0 {
            let partitions = Human.many(leg.dirtyPartitions, "partition")
            let loss =
                leg.dirtyWithLoss == 0
                ? "none of them lacks an acknowledged write"
                : "\(Human.count(leg.dirtyWithLoss)) may lack an acknowledged write"
            all.append(
                .init(
                    text: "\(leg.cluster): \(partitions) in doubt, \(loss) (cluster-sync journal dirty)",
                    isAlarming: leg.dirtyWithLoss > 0
                )
            )
        }
        if !isJournalled, leg.shadowDead + leg.shadowOverflowed > 0 {
            all.append(
                .init(
                    text:
                        "\(leg.cluster): no journal; since the start \(Human.count(leg.shadowDead)) copies were given "
                        + "up and \(Human.count(leg.shadowOverflowed)) dropped: compare and repair",
                    isAlarming: true
                )
            )
        }
        return all
    }

    private static func backlog(_ leg: StatusDocument.Leg, _ isJournalled: Bool) -> String? {
        guard leg.shadowQueued > 0 else {
            return leg.breakerOpen ? "\(leg.cluster): held back, it refuses or does not answer; nothing waits" : nil
        }
        let why: String
        // A login that is waited for holds back some of the writes, and has its own words.
        if leg.heldBack, !leg.connected {
            why = "held back: the \(leg.cluster) cannot be reached"
        } else if leg.breakerOpen {
            why = "held back: the \(leg.cluster) refuses writes or does not answer"
        } else if leg.behind {
            why = "\(leg.cluster): catching up"
        } else if leg.shadowOldestMs >= self.noteworthyMilliseconds {
            why = "\(leg.cluster): slow"
        } else {
            return nil
        }
        let age = Human.duration(seconds: Double(leg.shadowOldestMs) / 1_000)
        let verb = leg.shadowQueued == 1 ? "waits" : "wait"
        return "\(why); \(Human.many(leg.shadowQueued, "write")) (\(Human.bytes(leg.shadowQueuedBytes))) \(verb) in "
            + "\(isJournalled ? "the journal" : "memory"), the oldest \(age)"
    }

    private static func users(_ leg: StatusDocument.Leg) -> String {
        let shown = leg.waitsForLoginOf.prefix(self.usersShown).map { "'\(Human.line($0, max: 40))'" }
        let rest = leg.waitsForLogins - shown.count
        return shown.joined(separator: ", ") + (rest > 0 ? " and \(Human.many(rest, "other"))" : "")
    }
}
