import DualReader
import Operations
import ServiceLifecycle
import TokenRanges

/// Answers another reader's questions on the admin port.
struct PeerSource: DigestSource, Service {
    let answerer: DigestAnswerer

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do { try await self.answerer.run() } catch is CancellationError {}
        }
    }

    func greeting(of cluster: String) async throws -> DigestGreetingDocument {
        guard let side = Side(rawValue: cluster) else {
            throw AdminError(.invalidParameter, "cluster: must be source or target.")
        }
        do throws(DigestError) {
            let greeting = try self.answerer.greeting(of: side, clock: SQLiteJobStore.wallClock())
            return DigestGreetingDocument(
                version: greeting.version,
                hosts: greeting.hosts.sorted(),
                clockMs: greeting.clock
            )
        } catch {
            throw Self.refusal(error)
        }
    }

    func answer(_ request: DigestRequestDocument) async throws -> DigestAnswerDocument {
        do {
            return DigestAnswerDocument(try await self.answerer.answer(try request.request()))
        } catch let error as DigestError {
            throw Self.refusal(error)
        } catch let error as CompareError {
            throw AdminError(.otherTerms, error.description, hint: DigestError.Code.columns.rawValue)
        }
    }

    /// An error as the port tells it. The hint is the word by which the other reader knows it.
    private static func refusal(_ error: DigestError) -> AdminError {
        let code: AdminError.Code =
            switch error.code {
            case .busy: .busy
            case .unreadable, .away, .slow: .unreadable
            case .unauthorized: .unauthorized
            case .malformed: .invalidDocument
            case .version, .cluster, .settings, .columns: .otherTerms
            }
        return AdminError(code, error.description, hint: error.code.rawValue)
    }
}
