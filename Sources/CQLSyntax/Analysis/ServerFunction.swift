/// A function of Cassandra's own whose result differs from call to call, and so from cluster to cluster. None has parameters.
public enum ServerFunction: UInt8, Sendable, Hashable, CaseIterable {
    case now, uuid, currentTimestamp, currentDate, currentTime, currentTimeUUID

    /// The function of a name as the grammar folds it, in the spelling of any version.
    init?(_ name: QualifiedName) {
        guard name.keyspace == nil || name.keyspace == "system" else { return nil }
        switch name.name {
        case "now": self = .now
        case "uuid": self = .uuid
        case "currenttimestamp", "current_timestamp": self = .currentTimestamp
        case "currentdate", "current_date": self = .currentDate
        case "currenttime", "current_time": self = .currentTime
        case "currenttimeuuid", "current_timeuuid": self = .currentTimeUUID
        default: return nil
        }
    }

    /// The name as documentation spells it.
    public var name: String {
        switch self {
        case .now: "now"
        case .uuid: "uuid"
        case .currentTimestamp: "currentTimestamp"
        case .currentDate: "currentDate"
        case .currentTime: "currentTime"
        case .currentTimeUUID: "currentTimeUUID"
        }
    }

    /// The function that gives bytes the type of this one's result, and does nothing else.
    var conversion: String {
        switch self {
        case .now, .currentTimeUUID: "blobAsTimeuuid"
        case .uuid: "blobAsUuid"
        case .currentTimestamp: "blobAsTimestamp"
        case .currentDate: "blobAsDate"
        case .currentTime: "blobAsTime"
        }
    }
}
