/// The write mode: which cluster answers the client and which one gets a copy (DESIGN §5).
///
/// The raw value is the mode's place on the way of a migration; one step forward or back is the normal move.
public enum WriteMode: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// Everything goes to the source alone.
    case primaryOnly = 0
    /// The source answers; writes are copied to the target afterwards.
    case dualWriteAsync = 1
    /// The source answers reads; a write succeeds when both clusters have it.
    case dualWriteSync = 2
    /// The target answers; writes are copied back to the source afterwards.
    case shadowPrimary = 3
    /// Everything goes to the target alone.
    case targetOnly = 4

    /// The name used in configuration, on the admin port and in logs.
    public var name: String {
        switch self {
        case .primaryOnly: "PrimaryOnly"
        case .dualWriteAsync: "DualWriteAsync"
        case .dualWriteSync: "DualWriteSync"
        case .shadowPrimary: "ShadowPrimary"
        case .targetOnly: "TargetOnly"
        }
    }

    /// The same as ``name``.
    public var description: String { self.name }

    /// Reads a mode's name in any case, its number `0`…`4`, or one of the names in older configurations: `SourceOnly`,
    /// `DualAsync`, `DualSync`.
    ///
    /// - Throws: ``WriteModeError`` that lists what is valid.
    public init(parsing text: String) throws(WriteModeError) {
        let wanted = text.lowercased()
        for mode in Self.allCases where mode.name.lowercased() == wanted || String(mode.rawValue) == wanted {
            self = mode
            return
        }
        switch wanted {
        case "sourceonly": self = .primaryOnly
        case "dualasync": self = .dualWriteAsync
        case "dualsync": self = .dualWriteSync
        default: throw WriteModeError(text: text)
        }
    }

    /// The cluster whose answer goes to the client.
    public var primary: Cluster {
        switch self {
        case .primaryOnly, .dualWriteAsync, .dualWriteSync: .source
        case .shadowPrimary, .targetOnly: .target
        }
    }

    /// The cluster that gets a copy of each write, where the mode has one.
    public var shadow: Cluster? {
        switch self {
        case .primaryOnly, .targetOnly: nil
        case .dualWriteAsync, .dualWriteSync: .target
        case .shadowPrimary: .source
        }
    }

    /// Whether a plain write waits for both clusters.
    public var isJoin: Bool { self == .dualWriteSync }

    /// Whether the mode cannot run without `cluster` being configured.
    public func needs(_ cluster: Cluster) -> Bool {
        self.primary == cluster || self.shadow == cluster
    }
}

/// A text that names no write mode.
public struct WriteModeError: Error, Equatable, CustomStringConvertible {
    /// The text.
    public let text: String

    /// What was found and what is valid.
    public var description: String {
        "unknown write mode '\(self.text.prefix(64))'; valid are "
            + WriteMode.allCases.map { "\($0.name) (\($0.rawValue))" }.joined(separator: ", ")
            + " and the older names SourceOnly, DualAsync, DualSync"
    }
}
