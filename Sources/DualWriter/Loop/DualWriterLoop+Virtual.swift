import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore

/// Requests for the tables that describe the proxy itself.
extension DualWriterLoop {
    private func tables(for request: ProxiedRequest) -> VirtualTables? {
        let primary = self.settings.mode.primary
        guard let topology = self.topology(primary) else {
            self.fail(request, ProxyError.unavailable(primary, "not connected yet", request.consistency))
            return nil
        }
        return VirtualTables(
            topology: topology,
            address: self.advertisedAddress ?? request.client?.address,
            ring: self.ring
        )
    }

    func answerVirtual(_ request: ProxiedRequest, _ analysis: StatementAnalysis, _ parameters: QueryParameters) {
        guard let tables = self.tables(for: request) else { return }
        var positional: [BoundValue] = []
        var named: [String: BoundValue] = [:]
        switch parameters.values {
        case .none: break
        case .positional(let values): positional = values
        case .named(let values): for value in values { named[value.name] = value.value }
        }
        self.answer(
            request,
            tables.select(
                analysis,
                values: positional,
                named: named,
                skipMetadata: parameters.skipMetadata && request.opcode == .execute
            )
        )
    }

    func prepareVirtual(_ request: ProxiedRequest, _ statement: PreparedStatement) {
        guard let tables = self.tables(for: request) else { return }
        self.answer(request, tables.prepare(statement))
    }
}
