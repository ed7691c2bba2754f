import CQLProtocol
import CQLSyntax
import DualWriteCore

/// Requests for tables that have modes of their own. Nothing of this is asked where there are none.
extension DualWriterLoop {
    /// Gives a request the mode of the tables that its text names.
    ///
    /// - Returns: false where they cannot be written together; the client has its answer then.
    func adoptMode(of analysis: StatementAnalysis, _ kind: RequestKind, _ request: ProxiedRequest) -> Bool {
        let keyspace = request.identity?.key.keyspace
        return self.adopt(self.settings.modes.mode(of: analysis, kind, keyspace: keyspace), request)
    }

    /// Gives a request a mode, with the same answer.
    func adopt(_ mode: RequestMode, _ request: ProxiedRequest) -> Bool {
        switch mode {
        case .one(let stage):
            request.tableStage = stage
            return true
        case .several(let stage):
            request.tableStage = stage
            request.isMixed = true
            return true
        case .refused(let reason):
            self.fail(request, ProxyError.invalid(reason))
            return false
        }
    }

    /// Whether a request out of a journal, which keeps no modes, may be a batch for tables of which some have no shadow.
    func mayBeMixed(_ request: ProxiedRequest) -> Bool {
        switch request.opcode {
        case .batch: return true
        case .execute: return request.statement?.analysis.kind == .batch
        default:
            guard let layout = RequestLayout(query: request.body.bytes) else { return false }
            let text = String(decoding: request.body.bytes[layout.subject], as: UTF8.self)
            return self.analyses.analysis(of: text)?.kind == .batch
        }
    }

    /// The modes that count for copies to a cluster; nil where all tables have one.
    func shadowPlace(_ cluster: Cluster) -> ShadowPlace? {
        self.hasOverrides ? ShadowPlace(cluster, self.settings.modes) : nil
    }

    /// Whether something that a cluster is owed is from before tables may have got it as their primary.
    ///
    /// Where tables have modes of their own, it is the primary of some and the shadow of others all the time.
    func owesFromBefore(_ cluster: Cluster) -> Bool {
        let lane = self.lane(cluster)
        guard lane.count > 0 else { return false }
        return self.wallMilliseconds - Int64(lane.oldestMilliseconds(now: self.now)) <= self.primariesChangedAt
    }
}
