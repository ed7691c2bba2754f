#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The fuzzer that the environment variable `FUZZER` names.
private let target: @Sendable ([UInt8]) -> Void = {
    switch getenv("FUZZER").map({ String(cString: $0) }) {
    case "frame": FrameTarget.run
    case "messages": MessageTarget.run
    case "values": ValueTarget.run
    case "cql": CQLTarget.run
    case "compression": CompressionTarget.run
    case "sstable": SSTableTarget.run
    default: fatalError("FUZZER is one of frame, messages, values, cql, compression and sstable")
    }
}()

/// libFuzzer as a library: it runs until an input breaks a promise or its time is over.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ argumentCount: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ testOneInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    target(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
}

/// The program. The package manager expects the entry point of an executable under the name of its module, and the
/// compiler makes none where it is told to instrument for a fuzzer.
@_cdecl("Fuzz_main")
public func main(
    _ argumentCount: CInt,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
    var argumentCount = argumentCount
    var arguments = arguments
    return runFuzzer(&argumentCount, &arguments) { testOneInput($0, $1) }
}

/// Ends the run with the input that broke a promise.
func require(_ condition: Bool, _ promise: @autoclosure () -> String) {
    if !condition { fatalError("broken promise: \(promise())") }
}
