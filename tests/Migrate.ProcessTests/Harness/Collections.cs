// Each case starts several processes: more than two at a time would measure patience, not vmmigrate.
[assembly: CollectionBehavior(CollectionBehavior.CollectionPerClass, MaxParallelThreads = 2)]
