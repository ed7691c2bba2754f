import CQLProtocol
import NIOCore

/// Typed reading and writing of answers, for the few that the proxy has to understand.
enum AnswerDecoder {
    private static func response(_ body: UnsafeRawBufferPointer, opcode: Opcode, flags: FrameFlags) -> Response? {
        let header = FrameHeader(
            versionByte: ProtocolVersion.v4.responseByte,
            flags: flags,
            stream: 0,
            opcode: opcode,
            bodyLength: body.count
        )
        return try? ResponseFrame(decoding: RawFrame(header: header, body: ByteBuffer(bytes: body))).response
    }

    /// An ERROR's content, or nil where it is malformed.
    static func error(_ body: UnsafeRawBufferPointer, flags: FrameFlags) -> ErrorMessage? {
        guard case .error(let message)? = self.response(body, opcode: .error, flags: flags) else { return nil }
        return message
    }

    /// The rows of a RESULT, or nil where it is malformed or has none.
    static func rows(_ body: ByteBuffer, flags: FrameFlags) -> Rows? {
        let response = body.withUnsafeReadableBytes { self.response($0, opcode: .result, flags: flags) }
        guard case .result(.rows(let rows))? = response else { return nil }
        return rows
    }

    /// Whether a conditional statement was applied: the first cell of its only row, `[applied]`.
    static func isApplied(_ body: UnsafeRawBufferPointer, flags: FrameFlags) -> Bool {
        guard case .result(.rows(let rows))? = self.response(body, opcode: .result, flags: flags),
            let cell = rows.first?.cells.first.flatMap({ $0 })
        else { return false }
        return cell.readableBytesView.elementsEqual([1])
    }

    /// The body of an answer that the proxy makes.
    static func encode(_ response: Response, version: ProtocolVersion = .v4) -> ByteBuffer {
        do {
            var frame = try ResponseFrame(version: version, response: response).encoded()
            frame.moveReaderIndex(forwardBy: FrameHeader.byteCount)
            return frame
        } catch {
            // Only texts above 64 KiB cannot be encoded; what happened is still said.
            let short = ErrorMessage(.serverError, "cluster-sync: an answer could not be encoded: \(error.code)")
            guard var frame = try? ResponseFrame(version: version, response: .error(short)).encoded() else {
                preconditionFailure("an error of fixed text always encodes")
            }
            frame.moveReaderIndex(forwardBy: FrameHeader.byteCount)
            return frame
        }
    }
}
