// Unity.MLAgents.Academy: the clock of all agents, the trainer's parameters and the statistics.
using System;
using System.Collections.Generic;
using UnityEngine;

namespace Unity.MLAgents
{
    public enum StatAggregationMethod { Average = 0, MostRecent = 1, Sum = 2, Histogram = 3 }

    public sealed class EnvironmentParameters
    {
        internal Dictionary<string, float> Values { get; } = new Dictionary<string, float>();
        readonly Dictionary<string, Action<float>> m_Callbacks = new Dictionary<string, Action<float>>();

        public float GetWithDefault(string key, float defaultValue)
        {
            float value;
            return Values.TryGetValue(key, out value) ? value : defaultValue;
        }

        public void RegisterCallback(string key, Action<float> action)
        {
            Action<float> known;
            m_Callbacks[key] = m_Callbacks.TryGetValue(key, out known) ? known + action : action;
        }

        public IList<string> Keys() => new List<string>(Values.Keys);

        internal void Set(string key, float value)
        {
            Values[key] = value;
            Action<float> action;
            if (m_Callbacks.TryGetValue(key, out action)) action(value);
        }
    }

    public sealed class StatsRecorder
    {
        internal List<KeyValuePair<string, float>> Values { get; } = new List<KeyValuePair<string, float>>();
        public void Add(string key, float value, StatAggregationMethod aggregationMethod = StatAggregationMethod.Average)
        {
            Values.Add(new KeyValuePair<string, float>(key, value));
        }
    }

    public class Academy : IDisposable
    {
        static Academy s_Instance;
        bool m_Reset;

        public static bool IsInitialized => s_Instance != null;
        public static Academy Instance => s_Instance ?? (s_Instance = new Academy());
        internal static void Forget() { s_Instance = null; }

        public EnvironmentParameters EnvironmentParameters { get; } = new EnvironmentParameters();
        public StatsRecorder StatsRecorder { get; } = new StatsRecorder();
        public bool IsCommunicatorOn => Decide != null;
        public bool AutomaticSteppingEnabled { get; set; } = true;
        public int EpisodeCount { get; private set; }
        public int StepCount { get; private set; }
        public int TotalStepCount { get; private set; }
        public int NumAreas => 1;
        public int InferenceSeed { get; set; }

        public event Action OnEnvironmentReset;
        public event Action<int> AgentPreStep;
        internal event Action AgentForceReset;
        internal event Action AgentIncrementStep;
        internal event Action AgentSendState;
        internal event Action AgentAct;

        /// Gives the actions of an agent that asks for a decision; without it agents act by their heuristic.
        internal Func<Agent, Actuators.ActionBuffers> Decide { get; set; }

        /// One step of the environment, in ML-Agents' order.
        public void EnvironmentStep()
        {
            if (!m_Reset) Reset();
            AgentPreStep?.Invoke(StepCount);
            StepCount++;
            TotalStepCount++;
            AgentIncrementStep?.Invoke();
            AgentSendState?.Invoke();
            AgentAct?.Invoke();
        }

        internal void Reset()
        {
            m_Reset = true;
            StepCount = 0;
            EpisodeCount++;
            OnEnvironmentReset?.Invoke();
            AgentForceReset?.Invoke();
        }

        public void Dispose() { Forget(); }
    }
}
