#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The fuzzer that the environment variable `FUZZER` names; libFuzzer brings the main function.
private let target: @Sendable ([UInt8]) -> Void = {
    switch getenv("FUZZER").map({ String(cString: $0) }) {
    case "frame": FrameTarget.run
    case "messages": MessageTarget.run
    case "values": ValueTarget.run
    case "cql": CQLTarget.run
    case "compression": CompressionTarget.run
    default: fatalError("FUZZER is one of frame, messages, values, cql and compression")
    }
}()

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    target(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
}

/// Ends the run with the input that broke a promise.
func require(_ condition: Bool, _ promise: @autoclosure () -> String) {
    if !condition { fatalError("broken promise: \(promise())") }
}
