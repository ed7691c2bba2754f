import TestSupport
import Testing

/// The built binary, from outside.
struct CommandTests {
    @Test func `help and version end with 0`() async throws {
        let version = try await ChildProcess.run(["--version"])
        #expect(version.code == 0)
        #expect(version.output == "0.1.0\n")
        let help = try await ChildProcess.run(["--help"])
        #expect(help.code == 0)
        for command in ["phase", "status"] { #expect(help.output.contains(command)) }
    }

    @Test(arguments: [["phase", "set"], ["status", "--nonsense"], ["nonsense"], ["status", "--endpoint", "ftp://x"]])
    func `a wrong command line ends with 64 and says why`(arguments: [String]) async throws {
        let result = try await ChildProcess.run(arguments)
        #expect(result.code == 64)
        #expect(!result.errors.isEmpty)
        #expect(result.output.isEmpty)
    }

    @Test(arguments: [["status"], ["phase", "show"], ["phase", "set", "TargetOnly"], ["tables"], ["drain"]])
    func `nothing that listens ends with 69 and names the address`(arguments: [String]) async throws {
        // Port 1 on the loopback interface is served by nobody.
        let result = try await ChildProcess.run(arguments + ["--endpoint", "127.0.0.1:1"])
        #expect(result.code == 69)
        #expect(result.errors.contains("no admin port answers at http://127.0.0.1:1"))
        #expect(result.errors.contains("Is it running?"))
    }

    @Test func `a wrong configuration ends with 78 and lists every fault`() async throws {
        let result = try await ChildProcess.run(
            ["dual-writer", "--set", "a.b=1"],
            environment: ["WRITE_MODE": "sideways"]
        )
        #expect(result.code == 78)
        #expect(result.errors.contains("there are 2 faults"))
        #expect(result.errors.contains("WRITE_MODE: write_mode: unknown write mode 'sideways'"))
    }
}
