import DualWriteCore
import DualWriter

/// What the control of a sidecar needs of the proxy.
protocol SidecarProxy: Sendable {
    /// Everything at one moment, which may be a little while ago.
    func status() -> DualWriterStatus

    /// Everything as it is now.
    func currentStatus() async -> DualWriterStatus

    /// Switches every loop; when it returns, every request that arrives is handled in `mode`. `force`
    /// also overrules the gates of a single step.
    func setMode(_ mode: WriteMode, epoch: Int, force: Bool, reason: String?) async throws

    /// Times that apply to requests that arrive later.
    func setTimeouts(_ timeouts: DualWriterTimeouts) async throws

    /// Opens and checks the new contact points before anything changes; nil leaves a cluster as it is, an empty list takes
    /// it away.
    func setHosts(source: [String]?, target: [String]?) async throws

    /// Where applications connect, once the listener stands.
    var listenAddress: String? { get }
}
