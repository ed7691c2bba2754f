import CQLProtocol

/// A function of a single row, by its name in lower case; `to_date` and `todate` are the same.
struct ScalarFunction {
    private let name: String

    init(_ name: String) { self.name = name.lowercased().filter { $0 != "_" } }

    /// The type of its result; `nil` for a function that does not exist.
    func resultType(_ arguments: [ValueType]) -> ValueType? {
        switch self.name {
        case "now", "currenttimeuuid", "mintimeuuid", "maxtimeuuid": return .native("timeuuid")
        case "uuid": return .native("uuid")
        case "currenttimestamp", "totimestamp", "dateof": return .native("timestamp")
        case "currentdate", "todate": return .native("date")
        case "currenttime": return .native("time")
        case "tounixtimestamp", "unixtimestampof", "token": return .bigint
        case "tojson": return .text
        case "fromjson": return arguments.first
        default:
            if let source = self.blobSource { return source == "blob" ? nil : .native("blob") }
            return self.blobTarget.map { .native($0) }
        }
    }

    /// The type of an argument where the function's name tells it.
    func argumentType(_ index: Int, returning type: ValueType) throws -> ValueType? {
        switch self.name {
        case "totimestamp", "todate", "tounixtimestamp", "dateof", "unixtimestampof": .native("timeuuid")
        case "mintimeuuid", "maxtimeuuid": .native("timestamp")
        case "fromjson": .text
        default: self.blobTarget != nil ? .native("blob") : self.blobSource.map { .native($0) }
        }
    }

    /// `int` of `intAsBlob`.
    private var blobSource: String? { Self.known(self.name.hasSuffix("asblob") ? self.name.dropLast(6) : "") }
    /// `int` of `blobAsInt`.
    private var blobTarget: String? { Self.known(self.name.hasPrefix("blobas") ? self.name.dropFirst(6) : "") }

    private static func known(_ name: Substring) -> String? {
        let name = name == "varchar" ? "text" : String(name)
        return ValueType.nativeIDs[name] == nil ? nil : name
    }

    /// Runs it; null arguments give null.
    func call(_ arguments: [Bytes?], _ types: [ValueType], returning type: ValueType, now: Int64) throws -> Bytes? {
        switch self.name {
        case "now", "currenttimeuuid": return Clock.timeUUID(ticks: now * 10 + Int64.random(in: 0..<10))
        case "uuid": return Clock.randomUUID()
        case "currenttimestamp": return (now / 1000).bytes
        case "currentdate": return UInt32(truncatingIfNeeded: now / 86_400_000_000 + (1 << 31)).bytes
        case "currenttime": return (now % 86_400_000_000 * 1000).bytes
        case "tojson":
            guard let first = types.first else { break }
            return Bytes(JSONText.text(of: arguments[0], first).utf8)
        default: break
        }
        guard let first = types.first, let argument = arguments[0] else {
            guard !types.isEmpty, self.resultType(types) != nil else {
                throw NodeError.invalid("Unknown function '\(self.name)'")
            }
            return nil
        }
        switch self.name {
        case "totimestamp", "dateof": return self.milliseconds(argument, first).bytes
        case "tounixtimestamp", "unixtimestampof": return self.milliseconds(argument, first).bytes
        case "todate":
            let days = Int64((Double(self.milliseconds(argument, first)) / 86_400_000).rounded(.down))
            return UInt32(truncatingIfNeeded: days + (1 << 31)).bytes
        case "mintimeuuid":
            return Clock.timeUUID(ticks: argument.int64 * 10_000).prefix(8) + Bytes(repeating: 0x80, count: 8)
        case "maxtimeuuid":
            return Clock.timeUUID(ticks: argument.int64 * 10_000 + 9_999).prefix(8) + Bytes(repeating: 0x7f, count: 8)
        case "fromjson": return try JSONText.bytes(of: argument.string, type, for: "fromJson")
        case "token": return nil
        default:
            if self.blobSource != nil { return argument }
            if let target = self.blobTarget { return try ValueType.native(target).validated(argument, for: self.name) }
            throw NodeError.invalid("Unknown function '\(self.name)'")
        }
    }

    private func milliseconds(_ bytes: Bytes, _ type: ValueType) -> Int64 {
        switch type {
        case .native("timestamp"): bytes.int64
        case .native("date"): (Int64(UInt32(truncatingIfNeeded: bytes.signed)) - (1 << 31)) * 86_400_000
        default: Clock.milliseconds(of: bytes)
        }
    }
}
