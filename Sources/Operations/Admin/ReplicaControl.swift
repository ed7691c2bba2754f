import HTTPTypes
import Hummingbird

/// What the admin port asks about the replicas that change their write mode together.
public protocol ReplicaControl: Sendable {
    /// All of them, as far as they are known here.
    func replicas() async -> ReplicasDocument
}

extension AdminRoutes {
    func addReplicas(to router: Router<AdminContext>) {
        self.add("/v1/replicas", [.get: { _, _ in .document(await self.control.replicas()) }], to: router)
    }
}
