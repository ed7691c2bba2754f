import CQLProtocol
import NIOCore
import Testing

@testable import DualWriter

/// The metadata of markers as real servers wrote it, without some of them.
struct RecordedMetadataTests {
    private static let folder = Fixtures.wire("cassandra-4.1")

    @Test(.enabled(if: folder != nil, "no recordings here"), arguments: ["types", "batch", "lwt", "writes", "v3"])
    func `taking out any marker leaves the others as they were recorded`(name: String) throws {
        let recording = try Recording(name, in: try #require(Self.folder))
        var count = 0
        for exchange in recording.connections.flatMap({ $0 }) {
            guard case .result(.prepared(let prepared)) = exchange.response.response else { continue }
            let version = exchange.response.version
            let bytes = try Self.bytes(prepared, version)
            let markers = prepared.variables.markers
            for name in Set(markers.map(\.name)) where markers.count(where: { $0.name == name }) == 1 {
                var left = prepared
                left.variables.markers.removeAll { $0.name == name }
                left.variables.isGlobal = !left.variables.markers.isEmpty
                let gone = UInt16(markers.firstIndex { $0.name == name } ?? 0)
                let keys = prepared.variables.partitionKeyIndices
                left.variables.partitionKeyIndices = keys.contains(gone) ? [] : keys.map { $0 > gone ? $0 - 1 : $0 }
                let result = bytes.withUnsafeBytes {
                    BindMetadata.removing({ _ in [Int(gone)] }, from: $0, version: version)
                }
                #expect(result.map { Array($0.readableBytesView) } == (try Self.bytes(left, version)))
                count += 1
            }
        }
        #expect(count > 0, "no markers in the recording")
    }

    /// What stands behind the id.
    private static func bytes(_ prepared: Prepared, _ version: ProtocolVersion) throws -> [UInt8] {
        var prepared = prepared
        prepared.id = ByteBuffer()
        let frame = try ResponseFrame(version: version, response: .result(.prepared(prepared))).encoded()
        return Array(frame.readableBytesView.dropFirst(FrameHeader.byteCount + 4 + 2))
    }
}
