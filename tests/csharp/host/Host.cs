// Runs generated classes without Unity. One JSON object per line comes in, one goes out; see tests/csharp/README.md.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Reflection;
using System.Text.Json;
using Unity.MLAgents;
using Unity.MLAgents.Actuators;
using UnityEngine;
using Object = UnityEngine.Object;

static class Host
{
    const BindingFlags Any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
    static readonly Dictionary<Agent, ActionBuffers> s_Actions = new Dictionary<Agent, ActionBuffers>();
    static Agent[] s_Agents = new Agent[0];
    static int s_Period;

    static int Main(string[] arguments)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        Assembly.LoadFrom(arguments[0]);
        Assembly editor = Assembly.LoadFrom(arguments[1]);
        string line;
        while ((line = Console.ReadLine()) != null)
        {
            Dictionary<string, object> answer;
            try
            {
                using (JsonDocument document = JsonDocument.Parse(line)) answer = Answer(document.RootElement, editor);
            }
            catch (Exception error)
            {
                answer = new Dictionary<string, object> { ["error"] = (error is TargetInvocationException ? error.InnerException : error).ToString() };
            }
            answer["log"] = Debug.Lines.ToArray();
            Debug.Lines.Clear();
            Console.WriteLine(JsonSerializer.Serialize(answer));
        }
        return 0;
    }

    static Dictionary<string, object> Answer(JsonElement asked, Assembly editor)
    {
        switch (asked.GetProperty("do").GetString())
        {
            case "create": return Create(asked, editor);
            case "set": return Set(asked);
            case "get": return new Dictionary<string, object> { ["value"] = Plain(Value(Target(asked), asked.GetProperty("path").GetString())) };
            case "parameter":
                Academy.Instance.EnvironmentParameters.Set(asked.GetProperty("key").GetString(), asked.GetProperty("value").GetSingle());
                return new Dictionary<string, object>();
            case "call":
                object target = Target(asked);
                target.GetType().GetMethod(asked.GetProperty("method").GetString(), Any).Invoke(target, null);
                return new Dictionary<string, object>();
            case "reset":
                UnityEngine.Random.InitState(asked.GetProperty("seed").GetInt32());
                Academy.Instance.Reset();
                return Seen();
            case "observe": return Seen();
            case "step": return Step(asked);
            case "press":
                Input.Pressed.Clear();
                foreach (JsonElement key in asked.GetProperty("keys").EnumerateArray()) Input.Pressed.Add((KeyCode)Enum.Parse(typeof(KeyCode), key.GetString()));
                return new Dictionary<string, object>();
            default: throw new ArgumentException("Unknown request " + asked);
        }
    }

    /// Makes the scene by the generated Editor class, presses Play, and begins an episode.
    static Dictionary<string, object> Create(JsonElement asked, Assembly editor)
    {
        UnityEngine.Random.InitState(asked.GetProperty("seed").GetInt32());
        MethodInfo create = editor.GetType(asked.GetProperty("scene").GetString(), true).GetMethod("Create", new[] { typeof(int) });
        string path = (string)create.Invoke(null, new object[] { asked.GetProperty("areas").GetInt32() });
        Academy.Forget();
        World.Play();
        s_Agents = World.All<Agent>(false).ToArray();
        s_Period = s_Agents[0].GetComponent<DecisionRequester>().DecisionPeriod;
        bool heuristic = asked.TryGetProperty("heuristic", out JsonElement human) && human.GetBoolean();
        Academy.Instance.Decide = heuristic ? (Func<Agent, ActionBuffers>)null : agent => s_Actions[agent];
        Academy.Instance.Reset();
        Dictionary<string, object> answer = Seen();
        answer["scene"] = path;
        answer["period"] = s_Period;
        answer["agents"] = s_Agents.Select(agent => new Dictionary<string, object>
        {
            ["behavior"] = agent.Behavior.FullyQualifiedBehaviorName,
            ["continuous"] = agent.Behavior.BrainParameters.ActionSpec.NumContinuousActions,
            ["branches"] = agent.Behavior.BrainParameters.ActionSpec.BranchSizes,
            ["max_step"] = agent.MaxStep,
        }).ToArray();
        return answer;
    }

    /// One decision period: the actions are decided at its first physics step.
    static Dictionary<string, object> Step(JsonElement asked)
    {
        int i = 0;
        foreach (JsonElement action in asked.GetProperty("actions").EnumerateArray())
        {
            float[] values = action.EnumerateArray().Select(one => one.GetSingle()).ToArray();
            bool discrete = s_Agents[i].Behavior.BrainParameters.ActionSpec.NumDiscreteActions > 0;
            s_Actions[s_Agents[i++]] = discrete
                ? new ActionBuffers(new float[0], values.Select(one => (int)one).ToArray())
                : new ActionBuffers(values, new int[0]);
        }
        foreach (Agent agent in s_Agents) agent.Reports.Clear();
        Academy.Instance.StatsRecorder.Values.Clear();
        for (int step = 0; step < s_Period; step++)
        {
            Academy.Instance.EnvironmentStep();
            World.FixedStep();
        }
        Dictionary<string, object> answer = Seen();
        answer["terminals"] = s_Agents.Select(agent => agent.Reports.Where(report => report.Done).Select(report => new Dictionary<string, object>
        {
            ["reward"] = report.Reward,
            ["interrupted"] = report.Interrupted,
            ["observations"] = report.Observations,
        }).ToArray()).ToArray();
        answer["stats"] = Academy.Instance.StatsRecorder.Values.Select(one => new object[] { one.Key, one.Value }).ToArray();
        return answer;
    }

    static Dictionary<string, object> Seen() => new Dictionary<string, object>
    {
        ["observations"] = s_Agents.Select(agent => agent.Observe()).ToArray(),
        ["rewards"] = s_Agents.Select(agent => agent.RewardSoFar).ToArray(),
    };

    /// Sets fields and properties of components, private ones too; what is optional may be missing.
    static Dictionary<string, object> Set(JsonElement asked)
    {
        foreach (JsonElement one in asked.GetProperty("values").EnumerateArray())
        {
            string path = one.GetProperty("path").GetString();
            int dot = path.LastIndexOf('.');
            object owner = dot < 0 ? Target(one) : Value(Target(one), path.Substring(0, dot));
            string name = path.Substring(dot + 1);
            bool optional = one.TryGetProperty("optional", out JsonElement may) && may.GetBoolean();
            if (!optional || Field(owner.GetType(), name) != null) Assign(owner, name, one.GetProperty("value"));
        }
        Physics.SyncTransforms();
        return new Dictionary<string, object>();
    }

    static object Target(JsonElement asked)
    {
        string type = asked.GetProperty("type").GetString();
        return World.All<MonoBehaviour>(true).Where(one => one.GetType().Name == type).ElementAt(asked.GetProperty("index").GetInt32());
    }

    static object Value(object owner, string path)
    {
        foreach (string step in path.Split('.')) owner = Member(owner, step);
        return owner;
    }

    static object Member(object owner, string step)
    {
        int bracket = step.IndexOf('[');
        string name = bracket < 0 ? step : step.Substring(0, bracket);
        object value;
        FieldInfo field = Field(owner.GetType(), name);
        if (field != null) value = field.GetValue(owner);
        else value = Property(owner.GetType(), name).GetValue(owner);
        return bracket < 0 ? value : ((IList)value)[int.Parse(step.Substring(bracket + 1).TrimEnd(']'))];
    }

    static FieldInfo Field(Type type, string name)
    {
        for (; type != null; type = type.BaseType)
        {
            FieldInfo found = type.GetField(name, Any) ?? type.GetField("<" + name + ">k__BackingField", Any);
            if (found != null) return found;
        }
        return null;
    }

    static PropertyInfo Property(Type type, string name)
    {
        for (Type at = type; at != null; at = at.BaseType)
        {
            PropertyInfo found = at.GetProperty(name, Any | BindingFlags.DeclaredOnly);
            if (found != null) return found;
        }
        throw new ArgumentException(type + " has no field or property " + name);
    }

    static void Assign(object owner, string name, JsonElement value)
    {
        if (name == "active")
        {
            GameObject gameObject = owner as GameObject ?? ((Component)owner).gameObject;
            gameObject.SetActive(value.GetBoolean());
            return;
        }
        int bracket = name.IndexOf('[');
        if (bracket >= 0)
        {
            IList items = (IList)Member(owner, name.Substring(0, bracket));
            int index = int.Parse(name.Substring(bracket + 1).TrimEnd(']'));
            items[index] = Made(items.GetType().GetElementType() ?? items[index].GetType(), value);
            return;
        }
        FieldInfo field = Field(owner.GetType(), name);
        if (field != null) field.SetValue(owner, Made(field.FieldType, value));
        else
        {
            PropertyInfo property = Property(owner.GetType(), name);
            property.SetValue(owner, Made(property.PropertyType, value));
        }
    }

    static object Made(Type type, JsonElement value)
    {
        if (type == typeof(bool)) return value.GetBoolean();
        if (type == typeof(string)) return value.GetString();
        if (type == typeof(int)) return (int)value.GetDouble();
        if (type == typeof(float)) return value.GetSingle();
        float[] parts = value.EnumerateArray().Select(one => one.GetSingle()).ToArray();
        if (type == typeof(Vector2)) return new Vector2(parts[0], parts[1]);
        if (type == typeof(Vector3)) return new Vector3(parts[0], parts[1], parts[2]);
        if (type == typeof(Quaternion)) return Quaternion.Euler(parts[0], parts[1], parts[2]);
        if (type == typeof(float[])) return parts;
        throw new ArgumentException("No value of type " + type + " can be made from " + value);
    }

    static object Plain(object value)
    {
        switch (value)
        {
            case Vector2 v: return new[] { v.x, v.y };
            case Vector3 v: return new[] { v.x, v.y, v.z };
            case Quaternion q: return new[] { q.eulerAngles.x, q.eulerAngles.y, q.eulerAngles.z };
            case Object o: return o == null ? null : o.ToString();
            case string s: return s;
            case IEnumerable many: return many.Cast<object>().Select(Plain).ToArray();
            case null: return null;
            default: return value is float || value is int || value is bool || value is double ? value : value.ToString();
        }
    }
}
