import CQLSyntax
import NIOCore

/// An EXECUTE whose statement has more markers than its client knows of: those that stand for calls which the proxy evaluates.
enum ValueBinding {
    /// Why values cannot be added.
    enum Fault: Error, Hashable {
        /// The client has sent another number of values than its statement has markers.
        case wrongCount(markers: Int, values: Int)
        /// With what is added there are more values than the protocol can number.
        case tooMany
    }

    /// The body of a walked EXECUTE with values for the markers of `evaluation` among the client's own.
    ///
    /// Values by position are put where the markers are; among values with names (flag 0x40), which the markers must have, too,
    /// they come last. The client's values, nulls and unset ones included, stay byte for byte.
    static func adding(
        _ added: [[UInt8]],
        for evaluation: StatementEvaluation,
        to body: UnsafeRawBufferPointer,
        _ layout: RequestLayout
    ) throws(Fault) -> ByteBuffer {
        precondition(evaluation.isBound && evaluation.values.calls.count == added.count, "each value has its marker")
        var cursor = ByteCursor(body, at: layout.flagsOffset + 1)
        let hasValues = layout.flags.contains(.values)
        // The layout was found by a walk over the same bytes.
        let count = hasValues ? Int(cursor.uint16() ?? 0) : 0
        let isNamed = hasValues && layout.flags.contains(.namedValues)
        guard count + added.count <= StatementRewriter.markersMax else { throw .tooMany }
        var result = ByteBuffer()
        result.reserveCapacity(body.count + added.reduce(2) { $0 + $1.count + 4 + (isNamed ? 32 : 0) } + 8)
        result.writeBytes(body[..<layout.flagsOffset])
        result.writeInteger(layout.flags.union(.values).rawValue)
        result.writeInteger(UInt16(count + added.count))
        let first = cursor.offset
        if isNamed {
            precondition(evaluation.markerNames.count == added.count, "each marker has a name")
            for _ in 0..<count { if cursor.takeString() == nil || !cursor.takeValue() { break } }
            result.writeBytes(body[first..<cursor.offset])
            for (name, value) in zip(evaluation.markerNames, added) {
                result.writeInteger(UInt16(name.utf8.count))
                result.writeString(name)
                Self.write(value, to: &result)
            }
        } else {
            guard let positions = evaluation.positions(among: count) else {
                throw .wrongCount(markers: evaluation.values.markerCount, values: count)
            }
            var next = 0
            for index in 0...count {
                while next < added.count, positions[next] == index {
                    Self.write(added[next], to: &result)
                    next += 1
                }
                let start = cursor.offset
                if index < count, cursor.takeValue() { result.writeBytes(body[start..<cursor.offset]) }
            }
        }
        result.writeBytes(body[cursor.offset...])
        return result
    }

    private static func write(_ value: [UInt8], to buffer: inout ByteBuffer) {
        buffer.writeInteger(Int32(value.count))
        buffer.writeBytes(value)
    }
}
