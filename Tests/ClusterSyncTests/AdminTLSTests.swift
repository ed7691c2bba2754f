import NIOSSL
import TestSupport
import Testing

@testable import ClusterSync

struct AdminTLSTests {
    private func read(file: String) throws(ConfigurationError) -> SidecarConfiguration {
        let file = ConfigurationFile(name: "c.yaml", schema: .sidecar, text: file)
        return try SidecarConfiguration(
            ConfigurationLayers(schema: .sidecar, options: [], environment: [:], file: file)
        ) { _ in nil }
    }

    @Test func `the admin port speaks TLS with a certificate and its key`() throws {
        let section = "{certificate_file: c, key_file: k, client_ca_file: a}"
        let configuration = try self.read(file: "admin: {tls: \(section)}")
        #expect(configuration.adminTLS == TLSFiles(certificate: "c", key: "k", authorities: "a"))
        #expect(try self.read(file: "loops: 1").adminTLS == nil)
    }

    @Test(arguments: [
        ("{certificate_file: c}", "admin.tls.key_file"), ("{key_file: k}", "admin.tls.certificate_file"),
        ("{client_ca_file: a}", "admin.tls.certificate_file"),
    ])
    func `half of what TLS needs is a fault that names the other half`(section: String, missing: String) {
        let error = #expect(throws: ConfigurationError.self) { try self.read(file: "admin: {tls: \(section)}") }
        #expect(error.map { "\($0)".contains("needs \(missing) beside it") } == true)
    }

    @Test func `a command says which of its files cannot be used`() throws {
        let fixtures = Repository.root + "/Fixtures/tls"
        for (files, path) in [
            (TLSFiles(authorities: "/nowhere.pem"), "/nowhere.pem"),
            (TLSFiles(authorities: "\(fixtures)/node.key"), "\(fixtures)/node.key"),
            (TLSFiles(certificate: "\(fixtures)/client.pem"), "\(fixtures)/client.pem"),
            (TLSFiles(certificate: "\(fixtures)/client.pem", key: "\(fixtures)/node.key"), "\(fixtures)/node.key"),
        ] {
            let fault = #expect(throws: FileFault.self) { _ = try files.clientConfiguration() }
            #expect(fault?.path == path)
        }
        let whole = TLSFiles(
            certificate: "\(fixtures)/client.pem",
            key: "\(fixtures)/client.key",
            authorities: "\(fixtures)/authority.pem"
        )
        #expect(try whole.clientConfiguration().certificateVerification == .fullVerification)
    }
}
