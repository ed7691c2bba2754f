import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import Operations

/// Tells dual writers what a job has come to, for their gates. Failures are logged and never reach the job.
struct ReportSender: Sendable {
    /// To whom, and by which token.
    struct Targets: Sendable {
        /// Admin ports of all sidecars.
        var addresses: [String] = []
        /// What a change needs there; nil where a peer on the loopback interface may change something.
        var token: Secret?
        /// For `https://`: whom to trust and what to show.
        var tls = TLSFiles()
    }

    /// How long one attempt may take.
    private static let timeout = TimeAmount.seconds(10)
    private static let pauseMax = Duration.seconds(8)

    let targets: Targets
    let logger: Logger

    /// Sends a report to all; each that does not take it is asked again, up to so many times.
    func send(_ report: LoadReport, attempts: Int) async { await self.send("load", report, attempts) }

    /// The same for a comparison.
    func send(_ report: ComparisonReport, attempts: Int) async { await self.send("comparison", report, attempts) }

    private func send(_ kind: String, _ report: some Encodable & Sendable, _ attempts: Int) async {
        guard let body = try? DocumentCoding.encode(report) else {
            preconditionFailure("a report could not be written as JSON")
        }
        let bytes = ByteBuffer(bytes: body)
        for address in self.targets.addresses {
            let base = address.hasSuffix("/") ? String(address.dropLast()) : address
            await self.send(bytes, to: "\(base)/v1/reports/\(kind)", attempts)
        }
    }

    private func send(_ body: ByteBuffer, to url: String, _ attempts: Int) async {
        var pause = Duration.seconds(1)
        for attempt in 1...max(1, attempts) {
            guard let (reason, isFinal) = await self.attempt(body, url) else { return }
            self.logger.warning(
                "the dual writer does not take the report that its gates ask for",
                metadata: ["url": "\(url)", "reason": "\(reason)", "attempt": "\(attempt)"]
            )
            guard !isFinal, attempt < attempts, (try? await Task.sleep(for: pause)) != nil else { return }
            pause = min(pause * 2, Self.pauseMax)
        }
    }

    /// Why it was not taken, and whether it will never be; nil where it was.
    private func attempt(_ body: ByteBuffer, _ url: String) async -> (reason: String, isFinal: Bool)? {
        var request = HTTPClientRequest(url: url)
        request.method = .PUT
        request.headers.add(name: "Content-Type", value: "application/json")
        if let token = self.token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        request.body = .bytes(body)
        do {
            if url.hasPrefix("https://") { request.tlsConfiguration = try self.targets.tls.clientConfiguration() }
            let response = try await HTTPClient.shared.execute(request, timeout: Self.timeout)
            _ = try await response.body.collect(upTo: AdminClient.answerBytesMax)
            let status = response.status
            return status == .ok ? nil : ("\(status.code) \(status.reasonPhrase)", (400..<500).contains(status.code))
        } catch {
            return ("\(error)", false)
        }
    }

    /// The token as its file has it now.
    private var token: String? {
        guard let secret = self.targets.token else { return nil }
        return secret.file.flatMap { try? Secret.read($0) } ?? secret.text
    }
}
