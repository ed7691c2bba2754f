import CQLClient
import DualWriteCore
import FoundationEssentials
import Logging
import Synchronization
import TestSupport
import Testing

@testable import ClusterSync

struct SecretReloaderTests {
    @Test func `files that change are taken up when they fit together, and the old ones stay until then`() async throws
    {
        let folder = try TemporaryFolder()
        try folder.put("tls.crt", try Repository.fixture("tls/node.pem"))
        try folder.put("tls.key", try Repository.fixture("tls/node.key"))
        let files = TLSFiles(certificate: "\(folder.path)/tls.crt", key: "\(folder.path)/tls.key")
        let log = RecordedLog()
        let reloader = SecretReloader(logger: log.logger)
        _ = try await reloader.endpoint("clients", files, TLSEndpoint.clients)
        await reloader.reload()
        #expect(log.lines.map { "\($0.level) \($0.message)" } == [])
        try folder.put("tls.crt", try Repository.fixture("tls/elsewhere.pem"))
        await reloader.reload()
        await reloader.reload()
        #expect(
            log.lines.map { "\($0.level) \($0.message)" } == [
                "error new certificates cannot be used; what was there before stays"
            ]
        )
        try folder.put("tls.key", try Repository.fixture("tls/elsewhere.key"))
        await reloader.reload()
        await reloader.reload()
        #expect(log.lines.map { "\($0.level) \($0.message)" }.dropFirst() == ["notice new certificates in use"])
    }

    @Test func `a file that cannot be used at the start is named`() async throws {
        let reloader = SecretReloader(logger: Logger(label: "tls") { _ in SwiftLogNoOpLogHandler() })
        let fixtures = Repository.root + "/Fixtures/tls"
        for (files, path) in [
            (TLSFiles(certificate: "/nowhere.pem", key: "\(fixtures)/node.key"), "/nowhere.pem"),
            (TLSFiles(certificate: "\(fixtures)/node.pem", key: "\(fixtures)/make"), "\(fixtures)/make"),
            (TLSFiles(certificate: "\(fixtures)/node.key", key: "\(fixtures)/node.key"), "\(fixtures)/node.key"),
        ] {
            let fault = await #expect(throws: FileFault.self) {
                _ = try await reloader.endpoint("clients", files, TLSEndpoint.clients)
            }
            #expect(fault?.path == path)
        }
    }

    @Test func `a password that changes in its file is passed on, an empty file is not`() async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/password"
        let log = RecordedLog()
        let reloader = SecretReloader(logger: Logger(label: "secrets") { _ in log })
        let current = CurrentSecret(Secret("one", file: path))
        await reloader.follow("source", "password", Secret("one", file: path)) { current.replace($0) }
        for (content, expected) in [("one\n", "one"), (" two \n", "two"), ("\n", "two"), ("three", "three")] {
            try folder.put("password", Data(content.utf8))
            await reloader.reload()
            #expect(current.text == expected)
        }
        #expect(log.lines.map { "\($0.level) \($0.message)" }.map { $0.prefix(6) } == ["notice", "error ", "notice"])
        #expect(!log.lines.map { "\($0.level) \($0.message)" }.joined().contains("two"))
    }
}
