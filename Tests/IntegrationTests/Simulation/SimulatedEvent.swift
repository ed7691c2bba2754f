import CQLProtocol
import DualWriteCore
import EmbeddedNode

/// What a node meets writes with for a while.
struct SimulatedFault: Sendable, CustomStringConvertible {
    enum Kind: Sendable {
        case drop, dropAnswer, close
        case delay(milliseconds: Int)
        case error(ErrorCode)
    }

    var kind: Kind
    /// Nil: on all tables.
    var table: SimulatedTable?
    /// In so many of a hundred cases.
    var percent: Int
    var times: Int?

    var rule: FaultRule {
        let place = FaultRule.Condition.textContains(self.table?.rawValue ?? "sim_")
        let reaction: FaultRule.Reaction =
            switch self.kind {
            case .drop: .drop
            case .dropAnswer: .dropAnswer
            case .close: .close
            case .delay(let milliseconds): .delay(.milliseconds(milliseconds))
            case .error(let code): .error(Self.message(code))
            }
        return FaultRule(.all([place, .probability(Double(self.percent) / 100)]), reaction, times: self.times)
    }

    private static func message(_ code: ErrorCode) -> ErrorMessage {
        let details: ErrorMessage.Details =
            switch code {
            case .unavailable: .unavailable(consistency: .one, required: 1, alive: 0)
            case .writeTimeout: .writeTimeout(consistency: .one, received: 0, blockFor: 1, writeType: .simple)
            default: .none
            }
        return ErrorMessage(code, "simulated", details: details)
    }

    var description: String {
        let what =
            switch self.kind {
            case .drop: "drop"
            case .dropAnswer: "do without an answer"
            case .close: "close"
            case .delay(let milliseconds): "delay by \(milliseconds) ms"
            case .error(let code): "answer \(code)"
            }
        let times = self.times.map { ", \($0) times" } ?? ""
        return "\(what) \(self.percent) % of \(self.table?.rawValue ?? "all writes")\(times)"
    }
}

/// What happens beside the clients.
enum SimulatedEvent: Sendable, CustomStringConvertible {
    case faults(Cluster, [SimulatedFault], seed: UInt64)
    case disconnect(Cluster)
    case forgetPrepared(Cluster)
    case killNode(Cluster)
    case startNode(Cluster)
    case mode(WriteMode, force: Bool)
    /// No file of the journal gets another block.
    case disk(isFull: Bool)

    var description: String {
        switch self {
        case .faults(let cluster, let faults, _):
            faults.isEmpty ? "the \(cluster) is well" : "the \(cluster): \(faults)"
        case .disconnect(let cluster): "the \(cluster) closes all connections"
        case .forgetPrepared(let cluster): "the \(cluster) forgets its prepared statements"
        case .killNode(let cluster): "the \(cluster) is killed"
        case .startNode(let cluster): "the \(cluster) starts again"
        case .disk(let isFull): isFull ? "the disk is full" : "the disk has room"
        case .mode(let mode, let force): "mode \(mode)\(force ? ", forced" : "")"
        }
    }
}
