/// Values in the place of calls.
///
/// A call is replaced by one of the function that gives bytes its type (`now()` by `blobAsTimeuuid(0x…)`): to the server it is a
/// function of the same result in the same place. A type hint would not be: it hands its operand on to the column, which may be
/// of another type that the call's result may be assigned to (`now()` to a blob, `currentTimestamp()` to a bigint), and makes a
/// marker one of the partition key.
extension StatementRewriter {
    /// A text with markers in the place of calls.
    public struct Bindable: Sendable, Hashable {
        /// The text.
        public let text: String
        /// The names of the markers that were put in, in order, which no other marker of the text has. Empty where they have
        /// none: where no other marker has one, because a server might take only one sort at a time (scylladb#12732).
        public let markerNames: [String]
    }

    /// Markers that one statement may have: their number is two bytes long where values are sent.
    public static var markersMax: Int { Int(UInt16.max) }

    /// A text with the value of each call as a literal.
    ///
    /// - Parameter values: the calls' values as CQL bytes, in order.
    public static func evaluated(_ text: String, _ calls: [ServerValues.Call], values: [[UInt8]]) -> String {
        precondition(calls.count == values.count, "each call has a value")
        return Self.replace(calls, in: text) { index, result in
            result += "0x".utf8
            for byte in values[index] {
                result.append(Self.hexadecimal[Int(byte >> 4)])
                result.append(Self.hexadecimal[Int(byte & 0x0f)])
            }
        }
    }

    /// A text with a marker for each call; nil where there cannot be one: in collections, and beyond ``markersMax``.
    public static func bindable(_ text: String, _ values: ServerValues) -> Bindable? {
        guard !values.calls.contains(where: \.isInCollection),
            values.markerCount + values.calls.count <= Self.markersMax
        else { return nil }
        let names = values.analysis.markers.compactMap(\.name)
        guard !names.isEmpty else {
            let bound = Self.replace(values.calls, in: text) { _, result in result.append(UInt8(ascii: "?")) }
            return Bindable(text: bound, markerNames: [])
        }
        var prefix = "cluster_sync_"
        while names.contains(where: { $0.hasPrefix(prefix) }) { prefix += "_" }
        let markerNames = values.calls.indices.map { "\(prefix)\($0)" }
        let bound = Self.replace(values.calls, in: text) { index, result in
            result.append(UInt8(ascii: ":"))
            result += markerNames[index].utf8
        }
        return Bindable(text: bound, markerNames: markerNames)
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)

    private static func replace(
        _ calls: [ServerValues.Call],
        in text: String,
        by append: (_ index: Int, inout [UInt8]) -> Void
    ) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + 48 * calls.count)
        var position = 0
        for (index, call) in calls.enumerated() {
            result += bytes[position..<call.range.start]
            result += call.function.conversion.utf8
            result.append(UInt8(ascii: "("))
            append(index, &result)
            result.append(UInt8(ascii: ")"))
            position = call.range.end
        }
        result += bytes[position...]
        return String(decoding: result, as: UTF8.self)
    }
}
