import Operations

extension FakeSidecar {
    func replicas() async -> ReplicasDocument { ReplicasDocument(control: "file", epoch: 0, stage: "PrimaryOnly") }
}
