import CQLProtocol
import NIOCore
import Testing

@testable import DualWriter

struct AnswerLayoutTests {
    /// A Rows result with more pages: kind, flags, columns, paging state.
    private static func rows(state length: Int32, _ bytes: [UInt8]) -> [UInt8] {
        var body = ByteBuffer()
        body.writeMultipleIntegers(Int32(2), Int32(0x06), Int32(1), length)
        body.writeBytes(bytes)
        return Array(body.readableBytesView)
    }

    @Test func `a paging state is found where it is whole`() {
        Self.rows(state: 3, [7, 8, 9, 0]).withUnsafeBytes {
            #expect(AnswerLayout.pagingState($0, flags: []) == 16..<19)
        }
    }

    @Test(arguments: [Int32.max, .min, -1, 5])
    func `a length that the body does not hold is no paging state`(length: Int32) {
        Self.rows(state: length, [7, 8, 9, 0]).withUnsafeBytes {
            #expect(AnswerLayout.pagingState($0, flags: []) == nil)
        }
    }

    @Test func `no truncation is read beyond its end`() {
        let whole = Self.rows(state: 3, [7, 8, 9])
        for length in whole.indices {
            whole[..<length].withUnsafeBytes {
                #expect(AnswerLayout.pagingState($0, flags: []) == nil)
                for flags in [FrameFlags.tracing, .warning, .customPayload] {
                    _ = AnswerLayout.pagingState($0, flags: flags)
                    _ = AnswerLayout.preparedID($0, flags: flags)
                    _ = AnswerLayout.errorCode($0, flags: flags)
                }
            }
        }
    }
}
