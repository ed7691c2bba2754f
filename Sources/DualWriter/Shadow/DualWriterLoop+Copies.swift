import CQLProtocol
import CQLSyntax
import DualWriteCore
import Logging
import NIOCore

/// Copies on their way to a shadow.
extension DualWriterLoop {
    /// A copy that is no older than this has all of its life left, in milliseconds.
    private static var freshMilliseconds: Int64 { 1_000 }

    /// Sends a copy, or what is wanted of it, with the life that is left.
    func sendCopy(_ request: ProxiedRequest, to cluster: Cluster) {
        if request.isMixed || !self.settings.filter.isOpen, self.hasOverrides || cluster != self.settings.mode.primary {
            self.cut(request, cluster)
        }
        if request.writtenAt > 0, self.mayExpire(request) { self.shorten(request, cluster) }
        self.send(request, to: cluster)
    }

    /// How much of a write is wanted on a shadow.
    func filterDecision(of request: ProxiedRequest, for cluster: Cluster) -> ShadowFilter.Decision {
        if request.opcode == .execute, let filtering = request.statement?.filtering {
            switch filtering {
            case .decided(let decision): return decision
            case .byTenant(let plan):
                let values = RequestLayout.values(ofExecute: request.body.bytes)
                if let verdict = values.flatMap({ plan.verdict(ofValuesIn: $0) }) { return .init(verdict) }
            }
        }
        guard let written = self.written(request) else { return .whole }
        return self.decision(about: written, for: cluster)
    }

    private func decision(about written: WrittenRequest, for cluster: Cluster) -> ShadowFilter.Decision {
        self.settings.filter.decision(
            of: written.message,
            written.statements,
            schema: self.schema,
            in: self.shadowPlace(cluster)
        )
    }

    /// Leaves of a batch what is wanted on its shadow.
    private func cut(_ request: ProxiedRequest, _ cluster: Cluster) {
        switch self.filterDecision(of: request, for: cluster).share {
        case .whole:
            return
        case .nothing:
            // What is not wanted at all was not taken on, but for batches whose tables have no shadow any more.
            if request.isMixed { self.doubt(request, on: cluster, .surplus) }
        case .children:
            self.keepPart(of: request, cluster)
        }
        request.isMixed = false
    }

    private func keepPart(of request: ProxiedRequest, _ cluster: Cluster) {
        guard let written = self.written(request) else { return }
        let share = self.decision(about: written, for: cluster).share
        switch ShadowPart(of: written.message, written.statements.first, share: share) {
        case .whole, .nothing: return
        case .part(let part, let kept):
            if request.opcode == .batch {
                let places = written.message.preparedPlaces
                guard places.count == request.children.count else { return }
                request.children = zip(places, request.children).filter { kept.contains($0.0) }.map(\.1)
            }
            if !self.retain(part, in: request) { self.doubt(request, on: cluster, .surplus) }
        case .unclear:
            self.doubt(request, on: cluster, .surplus)
        }
    }

    /// Whether a request is late and has a limited life, or may have.
    private func mayExpire(_ request: ProxiedRequest) -> Bool {
        guard self.wallMilliseconds - request.writtenAt >= Self.freshMilliseconds else { return false }
        switch request.kind {
        case .plainWrite, .nonIdempotentWrite, .notUnderstood: return true
        // Counters have no life; TRUNCATE and schema changes are no data.
        case .read, .conditional, .counterWrite, .truncate, .schemaChange, .access, .virtualTable, .systemRead,
            .systemWrite, .use:
            return false
        }
    }

    private func shorten(_ request: ProxiedRequest, _ cluster: Cluster) {
        let now = self.wallMilliseconds
        let age = Int((now - request.writtenAt) / 1_000)
        guard let written = self.written(request) else { return }
        switch RemainingLife(ageSeconds: age, schema: self.schema).rewriting(written.message, written.statements) {
        case .unchanged:
            return
        case .unclear:
            self.doubt(request, on: cluster, .lifeUnclear)
            // Asked again at each attempt, it would say the same.
            request.writtenAt = 0
        case .changed(let changed):
            guard self.retain(changed, in: request) else { return }
            // Of the life that is written there now, only what passes from here on is to be taken.
            request.writtenAt += Int64(age) * 1_000
        }
    }

    /// Puts another message into a request, with other prepared statements where their texts have changed.
    private func retain(_ changed: RewrittenRequest, in request: ProxiedRequest) -> Bool {
        let places = changed.request.preparedPlaces
        let former = request.opcode == .execute ? [request.statement].compactMap { $0 } : request.children
        guard places.count == former.count else { return false }
        let statements = Dictionary(uniqueKeysWithValues: zip(places, former))
        let encoded = try? RequestRewriter.encode(changed) { place, text in
            guard let former = statements[place] else { preconditionFailure("a text for a child that is not prepared") }
            return self.variant(of: former, text)
        }
        guard let encoded else { return false }
        let now = places.compactMap { encoded.statements[$0] ?? statements[$0] }
        if request.opcode == .execute { request.statement = now.first } else { request.children = now }
        request.retain(encoded.body)
        return true
    }

    /// A statement of the proxy's own beside a client's, with the same names but another text.
    private func variant(of statement: PreparedStatement, _ text: String) -> PreparedStatement {
        let id = StatementID(keyspace: statement.keyspace, text: text)
        if let known = self.statements[id] { return known }
        let analysis = StatementAnalysis.analyze(text)
        let known = KnownStatement(text: text, keyspace: statement.keyspace, analysis: analysis)
        return self.remember(PreparedStatement(id: id, known: known))
    }
}

extension StatementID {
    var buffer: ByteBuffer { self.withShortBytes { ByteBuffer(bytes: $0.dropFirst(2)) } }
}

extension Request {
    /// Where prepared statements stand: at 0 for an EXECUTE, at a child's index for a BATCH.
    fileprivate var preparedPlaces: [Int] {
        switch self {
        case .execute: [0]
        case .batch(let batch):
            batch.children.indices.filter { if case .prepared = batch.children[$0].statement { true } else { false } }
        case .startup, .authResponse, .options, .query, .prepare, .register: []
        }
    }
}
