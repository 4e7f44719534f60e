// Unity.MLAgents.Agent with its life cycle, and what asks for its decisions.
using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Linq;
using System.Runtime.CompilerServices;
using Unity.MLAgents.Actuators;
using Unity.MLAgents.Policies;
using Unity.MLAgents.Sensors;
using UnityEngine;
#if MLAGENTS_4_0_OR_NEWER
using Model = Unity.InferenceEngine.ModelAsset;
#elif MLAGENTS_3_0_OR_NEWER
using Model = Unity.Sentis.ModelAsset;
#else
using Model = Unity.Barracuda.NNModel;
#endif

[assembly: InternalsVisibleTo("Host")]

namespace Unity.MLAgents
{
    /// What the trainer gets of an agent: at a decision, or when its episode is over.
    internal sealed class AgentReport
    {
        internal bool Done { get; set; }
        internal bool Interrupted { get; set; }
        internal float Reward { get; set; }
        internal List<float[]> Observations { get; set; }
    }

    [Serializable]
    [RequireComponent(typeof(BehaviorParameters))]
    public partial class Agent : MonoBehaviour, ISerializationCallbackReceiver, IActionReceiver, IHeuristicProvider
    {
        BehaviorParameters m_Behavior;
        VectorSensor m_Vector;
        List<ISensor> m_Sensors;
        ActionBuffers m_Actions;
        float m_Reward, m_CumulativeReward;
        bool m_Initialized, m_DecisionDue, m_ActionDue, m_Collecting, m_Beginning, m_Ended;

        public int MaxStep;
        public int StepCount { get; private set; }
        public int CompletedEpisodes { get; private set; }
        internal List<AgentReport> Reports { get; } = new List<AgentReport>();

        public void OnBeforeSerialize() { }
        public void OnAfterDeserialize() { }

#if MLAGENTS_2_3_OR_NEWER
        protected internal virtual void Awake() { }
#endif
        protected virtual void OnEnable() { LazyInitialize(); }

        protected virtual void OnDisable()
        {
            if (!m_Initialized) return;
            m_Initialized = false;
            var academy = Academy.Instance;
            academy.AgentForceReset -= Begin;
            academy.AgentIncrementStep -= Count;
            academy.AgentSendState -= SendState;
            academy.AgentAct -= Act;
        }

        /// Actuators are made from the behaviour's parameters before Initialize, sensors after it.
        public void LazyInitialize()
        {
            if (m_Initialized) return;
            m_Initialized = true;
            m_Behavior = GetComponent<BehaviorParameters>();
            var action = m_Behavior.BrainParameters.ActionSpec;
            m_Actions = new ActionBuffers(new float[action.NumContinuousActions], new int[action.NumDiscreteActions]);
            var academy = Academy.Instance;
            academy.AgentForceReset += Begin;
            academy.AgentIncrementStep += Count;
            academy.AgentSendState += SendState;
            academy.AgentAct += Act;
            Initialize();
            m_Sensors = GetComponentsInChildren<SensorComponent>().SelectMany(one => one.CreateSensors()).ToList();
            var size = m_Behavior.BrainParameters.VectorObservationSize;
            if (size > 0) m_Sensors.Add(m_Vector = new VectorSensor(size));
            m_Sensors.Sort((x, y) => string.Compare(x.GetName(), y.GetName(), StringComparison.InvariantCulture));
        }

        public virtual void Initialize() { }
        public virtual void OnEpisodeBegin() { }
        public virtual void CollectObservations(VectorSensor sensor) { }
        public virtual void OnActionReceived(ActionBuffers actions) { }
        public virtual void Heuristic(in ActionBuffers actionsOut) { }
        public virtual void WriteDiscreteActionMask(IDiscreteActionMask actionMask) { }

        public void AddReward(float increment)
        {
            m_Reward += Finite(increment);
            m_CumulativeReward += increment;
        }

        public void SetReward(float reward)
        {
            m_CumulativeReward += Finite(reward) - m_Reward;
            m_Reward = reward;
        }

        static float Finite(float reward) =>
            float.IsNaN(reward) || float.IsInfinity(reward) ? throw new ArgumentException("A reward is NaN or infinite.") : reward;

        public float GetCumulativeReward() => m_CumulativeReward;
        public void EndEpisode() { End(false); }
        public void EpisodeInterrupted() { End(true); }
        public void RequestDecision() { m_DecisionDue = m_ActionDue = true; }
        public void RequestAction() { m_ActionDue = true; }
        public void SetModel(string behaviorName, Model model, InferenceDevice inferenceDevice = InferenceDevice.Default) { }
        public ReadOnlyCollection<float> GetObservations() => new ReadOnlyCollection<float>(m_Vector == null ? new List<float>() : m_Vector.Values);
        public ActionBuffers GetStoredActionBuffers() => m_Actions;
        protected static float ScaleAction(float rawAction, float min, float max) => rawAction * 0.5f * (max - min) + 0.5f * (max + min);

        internal BehaviorParameters Behavior => m_Behavior;
        internal float RewardSoFar => m_Reward;

        /// What its sensors see now, in the trainer's order.
        internal List<float[]> Observe()
        {
            m_Vector?.Update();
            m_Collecting = true;
            CollectObservations(m_Vector);
            m_Collecting = false;
            var seen = new List<float[]>();
            foreach (var sensor in m_Sensors)
            {
                var writer = new ObservationWriter();
                sensor.Write(writer);
                seen.Add(writer.Values.ToArray());
            }
            return seen;
        }

        internal void SetAction(ActionBuffers action)
        {
            for (var i = 0; i < m_Actions.ContinuousActions.Length; i++) Continuous(i, action.ContinuousActions[i]);
            for (var i = 0; i < m_Actions.DiscreteActions.Length; i++) Discrete(i, action.DiscreteActions[i]);
        }

        void Continuous(int index, float value)
        {
            var all = m_Actions.ContinuousActions;
            all[index] = value;
        }

        void Discrete(int index, int value)
        {
            var all = m_Actions.DiscreteActions;
            all[index] = value;
        }

        void Count() { StepCount++; }

        void SendState()
        {
            if (!m_DecisionDue) return;
            m_DecisionDue = false;
            Reports.Add(new AgentReport { Reward = m_Reward, Observations = Observe() });
            m_Reward = 0f;
            m_Ended = false;
            var decide = Academy.Instance.Decide;
            if (decide == null) Heuristic(m_Actions);
            else SetAction(decide(this));
        }

        void Act()
        {
            if (m_ActionDue)
            {
                m_ActionDue = false;
                OnActionReceived(m_Actions);
            }
            if (MaxStep > 0 && StepCount >= MaxStep) End(true);
        }

        void End(bool interrupted)
        {
            if (m_Collecting) throw new UnityAgentsException("EndEpisode was called while observations were collected.");
            if (m_Beginning) throw new UnityAgentsException("EndEpisode was called while an episode began.");
            if (!m_Ended) Reports.Add(new AgentReport { Done = true, Interrupted = interrupted, Reward = m_Reward, Observations = Observe() });
            m_Ended = true;
            m_DecisionDue = m_ActionDue = false;
            CompletedEpisodes++;
            Begin();
        }

        void Begin()
        {
            m_Actions.Clear();
            m_Reward = m_CumulativeReward = 0f;
            StepCount = 0;
            m_Beginning = true;
            OnEpisodeBegin();
            m_Beginning = false;
        }
    }

    public class UnityAgentsException : Exception
    {
        public UnityAgentsException(string message) : base(message) { }
    }

    [RequireComponent(typeof(Agent))]
    [DefaultExecutionOrder(-10)]
    public class DecisionRequester : MonoBehaviour
    {
        [Range(1, 20)] public int DecisionPeriod = 5;
#if MLAGENTS_3_0_OR_NEWER
        [Range(0, 19)] public int DecisionStep;
#endif
        public bool TakeActionsBetweenDecisions = true;
        Agent m_Agent;

        public Agent Agent => m_Agent;

        internal void Awake()
        {
            m_Agent = GetComponent<Agent>();
            Academy.Instance.AgentPreStep += MakeRequests;
        }

        void OnDestroy() { if (Academy.IsInitialized) Academy.Instance.AgentPreStep -= MakeRequests; }

        void MakeRequests(int academyStepCount)
        {
#if MLAGENTS_3_0_OR_NEWER
            if (academyStepCount % DecisionPeriod == DecisionStep) m_Agent.RequestDecision();
#else
            if (academyStepCount % DecisionPeriod == 0) m_Agent.RequestDecision();
#endif
            if (TakeActionsBetweenDecisions) m_Agent.RequestAction();
        }
    }

    public interface IMultiAgentGroup
    {
        int GetId();
        void RegisterAgent(Agent agent);
        void UnregisterAgent(Agent agent);
    }

    /// Its rewards are not reported here.
    public class SimpleMultiAgentGroup : IMultiAgentGroup, IDisposable
    {
        readonly List<Agent> m_Agents = new List<Agent>();
        public int GetId() => 1;
        public void RegisterAgent(Agent agent) { m_Agents.Add(agent); }
        public void UnregisterAgent(Agent agent) { m_Agents.Remove(agent); }
        public ReadOnlyCollection<Agent> GetRegisteredAgents() => new ReadOnlyCollection<Agent>(m_Agents);
        public void AddGroupReward(float reward) { }
        public void SetGroupReward(float reward) { }
        public void EndGroupEpisode() { foreach (var agent in m_Agents.ToArray()) agent.EndEpisode(); }
        public void GroupEpisodeInterrupted() { foreach (var agent in m_Agents.ToArray()) agent.EpisodeInterrupted(); }
        public void Dispose() { m_Agents.Clear(); }
    }
}

namespace Unity.MLAgents.Demonstrations
{
    [RequireComponent(typeof(Agent))]
    public class DemonstrationRecorder : MonoBehaviour
    {
        public bool Record;
        public int NumStepsToRecord;
        public string DemonstrationName;
        public string DemonstrationDirectory;
        public void Close() { }
    }
}

namespace Unity.MLAgents.Areas
{
    public class TrainingAreaReplicator : MonoBehaviour
    {
        public GameObject baseArea;
        public int numAreas = 1;
        public float separation = 10f;
        public bool buildOnly = true;
    }
}
