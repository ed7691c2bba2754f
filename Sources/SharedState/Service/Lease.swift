import DualWriteCore
import NIOCore

/// Whether a replica may act in its modes although it may have been passed over: a value that decides, without a clock.
///
/// Nobody is passed over before its sign of life has faded everywhere. So a replica that was heard may act until a little
/// before that, whatever it reads meanwhile. One that was not heard for so long, or stood still for so long, acts again only
/// when it has read what is decided and has come to it.
///
/// Where nothing can be read at all, what is at stake decides, table by table. With a mode that writes to both clusters nothing
/// is lost, whichever stage is in force, and the replica goes on: applications do not suffer from the loss of the control
/// state. With PrimaryOnly or TargetOnly the other cluster would lack what is acknowledged, so the replica does not act for
/// such tables, unless nobody can have decided anything: there is no other replica, or the clusters themselves refuse (no
/// keyspace, no rights, no quorum).
struct Lease {
    /// What a round has come to.
    struct Round {
        /// When it began.
        var began: NIODeadline
        /// When the sign of life was sent that a cluster has taken; nil where none has.
        var heard: NIODeadline?
        /// What was read.
        var view: RoundView
        /// Clusters that have answered, and refused.
        var refusing: Set<Cluster>
        /// What counts, as far as is known.
        var record: SharedRecord?
        /// The epoch in which the proxy acts.
        var applied: Int64?
        /// Why it does not act in the record's.
        var fault: String?
    }

    /// What follows.
    enum Verdict: Equatable {
        /// It may act until a moment, and is judged again before.
        case holds(until: NIODeadline)
        /// The same for tables that are written to both clusters; for the others it must not act, and why.
        case holdsInPart(until: NIODeadline, String)
        /// It must not act, and why.
        case lapsed(String)
    }

    /// How long after a sign of life nobody is passed over, with a margin for clocks that do not run alike.
    let length: TimeAmount
    private let id: String
    private var sureUntil: NIODeadline?
    private var others: Bool?

    init(id: String, times: Replica.Times) {
        self.id = id
        self.length = .milliseconds(times.lifeMilliseconds * 4 / 5)
    }

    /// Judges at the end of a round.
    mutating func judge(_ round: Round, now: NIODeadline) -> Verdict {
        if !round.view.readable.isEmpty {
            self.others = round.view.replicas.entries.contains { $0.id != self.id }
        }
        let mayBePassedOver = self.sureUntil.map { $0 < now } ?? true
        let hasCome = round.applied == round.record?.epoch
        if let heard = round.heard, !mayBePassedOver || !round.view.readable.isEmpty && hasCome {
            self.sureUntil = heard + self.length
        }
        if let sure = self.sureUntil, sure > now { return .holds(until: sure) }
        let soon = round.began + self.length
        guard let record = round.record else { return .holds(until: soon) }
        guard round.view.readable.isEmpty else {
            return hasCome
                ? .holds(until: soon)
                : .lapsed(
                    "\(record.modes) is in force (epoch \(record.epoch)) and cannot be entered: \(round.fault ?? "not yet")"
                )
        }
        if round.view.unreadable.allSatisfy({ round.refusing.contains($0) }) || self.others == false {
            return .holds(until: soon)
        }
        let stages = record.modes.stages
        let single = stages.filter { $0.mode.shadow == nil }
        guard !single.isEmpty else { return .holds(until: soon) }
        let reason =
            "it was not heard by the other replicas for \(self.length.nanoseconds / 1_000_000_000) s, and another mode than "
            + "\(single.map(\.name).joined(separator: " and ")) may be in force (\(round.view.reasons))"
        guard single.count < stages.count else { return .lapsed(reason) }
        return .holdsInPart(until: soon, "for tables in a mode of one cluster: \(reason)")
    }
}
